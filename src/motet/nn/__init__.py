"""Building blocks of networks on residues and pairs of residues; how they are joined is for the floor above."""

from .attention import GatedSelfAttention as GatedSelfAttention
from .execution import PLAIN as PLAIN
from .execution import Execution as Execution
from .execution import in_chunks as in_chunks
from .execution import shared_dropout as shared_dropout
from .ipa import InvariantPointAttention as InvariantPointAttention
from .masking import log_presence as log_presence
from .msa_attention import ColumnAttention as ColumnAttention
from .msa_attention import GlobalColumnAttention as GlobalColumnAttention
from .msa_attention import RowAttention as RowAttention
from .norm import LayerNorm as LayerNorm
from .outer_product import OuterProductMean as OuterProductMean
from .products import fast_products as fast_products
from .transition import Transition as Transition
from .triangle import TriangleAttention as TriangleAttention
from .triangle import TriangleAttentionEnding as TriangleAttentionEnding
from .triangle import TriangleMultiplicationIncoming as TriangleMultiplicationIncoming
from .triangle import TriangleMultiplicationOutgoing as TriangleMultiplicationOutgoing
