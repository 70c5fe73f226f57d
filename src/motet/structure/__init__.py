"""`Structure` and `Topology`: frozen, with selection, completion, mutation and concatenation."""

from .structure import Note as Note
from .structure import Structure as Structure
from .topology import Topology as Topology
