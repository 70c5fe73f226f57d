"""Phase separation: a network with the force field inside, and a saturation concentration in µM."""

from .direction import Direction as Direction
from .mutations import MutationEffect as MutationEffect
from .mutations import effects as effects
from .network import CondensateNetwork as CondensateNetwork
from .network import Reading as Reading
from .network import Settings as Settings
from .physics import PairTables as PairTables
from .physics import PhysicalLayer as PhysicalLayer
from .predictor import PhaseSeparation as PhaseSeparation
from .predictor import Verdict as Verdict
from .sequences import SequenceBatch as SequenceBatch
from .sequences import encode as encode
