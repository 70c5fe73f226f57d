"""Loops: closing a backbone between fixed ends, building one anew, and walking among the closed ones."""

from .closure import ClosureList as ClosureList
from .closure import Closures as Closures
from .closure import close_tripeptide as close_tripeptide
from .closure import list_closures as list_closures
from .closure import tripeptide_internals as tripeptide_internals
from .gap import ATOMS as ATOMS
from .gap import Gap as Gap
from .joining import JOINT as JOINT
from .joining import Building as Building
from .joining import Built as Built
from .joining import build_loops as build_loops
from .nudging import nudge as nudge
from .room import Room as Room
from .sampler import HitAndRun as HitAndRun
from .sampler import Walk as Walk
from .sampler import geometric_step as geometric_step
from .sampler import metropolis_step as metropolis_step
from .torsion_maps import TorsionMaps as TorsionMaps
