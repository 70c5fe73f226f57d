"""AlphaFold2 for monomers: features from an alignment, the network, its weights, and passes that repeat.

Jumper et al. (2021), Nature 596, 583, doi:10.1038/s41586-021-03819-2. Algorithm numbers in this package are those
of its supplement. The network is our own code; it takes DeepMind's published parameters (CC BY 4.0), which motet
does not ship.
"""

from . import archive as archive
from . import store as store
from .alignment import features_of as features_of
from .config import AlphaFoldConfig as AlphaFoldConfig
from .config import HeadsConfig as HeadsConfig
from .config import SamplingConfig as SamplingConfig
from .config import StackConfig as StackConfig
from .config import StructureConfig as StructureConfig
from .config import TemplateConfig as TemplateConfig
from .features import Features as Features
from .features import Templates as Templates
from .model import AlphaFold as AlphaFold
from .prediction import AlignedErrors as AlignedErrors
from .prediction import Prediction as Prediction
from .presets import PRESETS as PRESETS
from .presets import preset as preset
from .recycling import Folding as Folding
from .recycling import Recycling as Recycling
from .recycling import fold as fold
from .representations import Recycled as Recycled
from .representations import Representations as Representations
from .weights import WeightsRecord as WeightsRecord
from .weights import from_npz as from_npz
from .weights import from_safetensors as from_safetensors
from .weights import record_of as record_of
from .weights import to_npz as to_npz
from .weights import to_safetensors as to_safetensors
