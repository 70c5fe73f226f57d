"""`Structure` and `Topology`: frozen, with selection, completion, mutation and concatenation."""

from .bonding import bonds_of as bonds_of
from .structure import Note as Note
from .structure import Structure as Structure
from .topology import Topology as Topology
