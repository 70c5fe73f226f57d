"""Ensembles: generators, relaxation, weights, states and what follows from them."""

from .analysis import Analysis as Analysis
from .analysis import analyse as analyse
from .checkpoint import Checkpoint as Checkpoint
from .ensemble import Ensemble as Ensemble
from .ensemble import Provenance as Provenance
from .generator import Generator as Generator
from .langevin import Langevin as Langevin
from .minimise import Minimised as Minimised
from .minimise import minimise as minimise
from .movable import Movable as Movable
from .observables import Observables as Observables
from .observables import observe as observe
from .preparation import prepared as prepared
from .production import Plan as Plan
from .production import produce as produce
from .relax import relax as relax
from .soundness import Soundness as Soundness
from .soundness import inspect_geometry as inspect_geometry
from .states import FreeEnergyMap as FreeEnergyMap
from .states import State as State
from .states import States as States
from .storage import load as load
from .storage import save as save
from .storage import save_parquet as save_parquet
from .weights import boltzmann_weights as boltzmann_weights
from .weights import effective_sample_size as effective_sample_size
