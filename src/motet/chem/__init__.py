"""Chemistry as tables: elements, residues, their atoms and bonds, rotatable torsions, ideal geometry."""

from .elements import ELEMENTS as ELEMENTS
from .elements import Element as Element
from .geometry import BOND_ANGLES as BOND_ANGLES
from .geometry import BOND_LENGTHS as BOND_LENGTHS
from .geometry import Ideal as Ideal
from .ideal_geometry import measured_angle as measured_angle
from .ideal_geometry import seen_from_outside as seen_from_outside
from .ideal_geometry import tabled_angle as tabled_angle
from .ideal_geometry import tabled_length as tabled_length
from .residues import IONS as IONS
from .residues import NUCLEOTIDES as NUCLEOTIDES
from .residues import RESIDUES as RESIDUES
from .residues import STANDARD as STANDARD
from .residues import WATERS as WATERS
from .residues import AtomType as AtomType
from .residues import ResidueType as ResidueType
from .residues import canonical_name as canonical_name
from .residues import kind_of as kind_of
from .residues import parent_of as parent_of
from .residues import template_of as template_of
from .rotamers import ROTAMERS as ROTAMERS
from .rotamers import Rotamer as Rotamer
from .tables import read_table as read_table
from .torsions import CHIS as CHIS
from .torsions import Chi as Chi
from .torsions import chis_of as chis_of
