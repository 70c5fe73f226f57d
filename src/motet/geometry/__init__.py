"""Geometry of points: torsions, rigid motions, superposition, similarity, neighbours and internal coordinates.

Everything takes leading batch dimensions, works in float32 and float64 on any device, and has a finite value and
a finite gradient for coincident, collinear and empty input. Lengths are in Å, angles in radians.
"""

from .backbone import BackboneTorsions as BackboneTorsions
from .backbone import backbone_from_torsions as backbone_from_torsions
from .backbone import backbone_torsions as backbone_torsions
from .domains import split_domains as split_domains
from .internal import InternalCoordinates as InternalCoordinates
from .local_distances import lddt as lddt
from .local_distances import residue_lddt as residue_lddt
from .neighbours import neighbour_pairs as neighbour_pairs
from .pairwise import pairwise_rmsd as pairwise_rmsd
from .representations import REPRESENTATIONS as REPRESENTATIONS
from .representations import BackboneCircle as BackboneCircle
from .representations import CarbonDistances as CarbonDistances
from .representations import Representation as Representation
from .representations import SuperposedCarbons as SuperposedCarbons
from .rigid import Rigid as Rigid
from .rigid_groups import Hinge as Hinge
from .rigid_groups import RigidGroupFinder as RigidGroupFinder
from .rigid_groups import RigidGroups as RigidGroups
from .rigid_groups import rigid_groups as rigid_groups
from .rotations import even_rotations as even_rotations
from .screw import Screw as Screw
from .secondary_structure import secondary_structure as secondary_structure
from .superpose import rmsd as rmsd
from .superpose import superpose as superpose
from .superpose import superposed as superposed
from .superpose import superposed_to_mean as superposed_to_mean
from .tm import tm_score as tm_score
from .torsion import angle as angle
from .torsion import dihedral as dihedral
from .torsion import distance as distance
from .tree import Tree as Tree
from .turns import quaternion_of as quaternion_of
from .turns import random_rotations as random_rotations
from .turns import rotation_of_turn as rotation_of_turn
from .turns import turn_of_rotation as turn_of_rotation
from .turns import turned_towards as turned_towards
