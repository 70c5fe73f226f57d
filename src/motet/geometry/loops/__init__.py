"""Loops: closing a backbone between fixed ends."""

from .closure import ClosureList as ClosureList
from .closure import Closures as Closures
from .closure import close_tripeptide as close_tripeptide
from .closure import list_closures as list_closures
from .closure import tripeptide_internals as tripeptide_internals
