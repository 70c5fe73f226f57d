"""Geometry of points: torsions, rigid motions, superposition, similarity, neighbours and internal coordinates.

Everything takes leading batch dimensions, works in float32 and float64 on any device, and has a finite value and
a finite gradient for coincident, collinear and empty input. Lengths are in Å, angles in radians.
"""

from .neighbours import neighbour_pairs as neighbour_pairs
from .pairwise import pairwise_rmsd as pairwise_rmsd
from .rigid import Rigid as Rigid
from .superpose import rmsd as rmsd
from .superpose import superpose as superpose
from .superpose import superposed as superposed
from .superpose import superposed_to_mean as superposed_to_mean
from .torsion import angle as angle
from .torsion import dihedral as dihedral
from .torsion import distance as distance
