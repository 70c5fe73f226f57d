"""Loops of a protein built anew: closed conformations, their side chains, their energies."""

from .modelling import Backbones as Backbones
from .modelling import LoopModels as LoopModels
from .modelling import Modelling as Modelling
from .modelling import loop_backbones as loop_backbones
from .modelling import model_loop as model_loop
from .modelling import models_on as models_on
from .region import Region as Region
from .region import find_region as find_region
from .results import as_ensemble as as_ensemble
from .results import write_loops as write_loops
