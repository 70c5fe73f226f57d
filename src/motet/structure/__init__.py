"""`Structure` and `Topology`: frozen, with selection, completion, mutation and concatenation."""

from .backbone import structure_from_backbone as structure_from_backbone
from .bonding import bonds_of as bonds_of
from .concatenation import concatenate as concatenate
from .joining import with_peptides_joined as with_peptides_joined
from .mutation import Mutation as Mutation
from .mutation import parse_mutation as parse_mutation
from .structure import Note as Note
from .structure import Structure as Structure
from .topology import Topology as Topology
