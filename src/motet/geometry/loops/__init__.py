"""Loops: closing a backbone between fixed ends."""

from .closure import Closures as Closures
from .closure import close_tripeptide as close_tripeptide
