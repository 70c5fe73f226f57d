"""Ensembles from alignments: one network, many views of the same protein, and what they agree on."""

from .alignment_clusters import AlignmentClusters as AlignmentClusters
from .control import matched as matched
from .hypotheses import Hypotheses as Hypotheses
from .hypotheses import find_hypotheses as find_hypotheses
from .member import Folder as Folder
from .member import Member as Member
from .member import Sampled as Sampled
from .perturbations import PERTURBATIONS as PERTURBATIONS
from .perturbations import Perturbation as Perturbation
from .perturbations import View as View
from .perturbations import named as named
from .probing import Probing as Probing
from .probing import probe as probe
from .production import FoldedEnsemble as FoldedEnsemble
from .production import ensemble_of as ensemble_of
from .production import fold_members as fold_members
from .switching import Switches as Switches
from .switching import find_switches as find_switches
from .weighing import Weighing as Weighing
from .weighing import weigh as weigh
