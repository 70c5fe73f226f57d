"""Moves of torsion Monte Carlo: each keeps the density of its walkers, and breaks no bond."""

from .closure import Closure as Closure
from .move import Move as Move
from .move import Proposal as Proposal
from .move import Walkers as Walkers
from .move import metropolis as metropolis
from .pivot import Pivot as Pivot
from .side_chain import ChiTurn as ChiTurn
from .side_chain import RotamerJump as RotamerJump
from .twist import Twist as Twist
