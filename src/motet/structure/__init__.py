"""`Structure` and `Topology`: frozen, with selection, completion, mutation and concatenation."""

from .bonding import bonds_of as bonds_of
from .concatenation import concatenate as concatenate
from .mutation import Mutation as Mutation
from .mutation import parse_mutation as parse_mutation
from .structure import Note as Note
from .structure import Structure as Structure
from .topology import Topology as Topology
