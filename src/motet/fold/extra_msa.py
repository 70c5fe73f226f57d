"""The rows of the alignment beyond the cluster centres: many, so each costs little."""

from jaxtyping import Float
from torch import Tensor, nn

from ..nn import PLAIN, Execution, GlobalColumnAttention
from .config import AlphaFoldConfig
from .embedding import ExtraEmbedder
from .evoformer import EvoformerBlock, EvoformerStack
from .features import Features
from .representations import presence_or_none


class ExtraMsaStack(nn.Module):
    """ExtraMsaStack: Jumper et al. (2021), Suppl. Alg. 18; what it leaves behind is the pair representation."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        sizes = config.extra_msa
        c_head = sizes.c_msa // sizes.msa_heads
        self.embedder = ExtraEmbedder(config)
        self.stack = EvoformerStack(
            EvoformerBlock(sizes, GlobalColumnAttention(c_msa=sizes.c_msa, heads=sizes.msa_heads, c_head=c_head))
            for _ in range(sizes.blocks)
        )

    def forward(
        self,
        features: Features,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        pair_presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The pair representation, informed by the extra rows."""
        presence = presence_or_none(features.extra_presence.to(pair.dtype))
        return self.stack(self.embedder(features), pair, presence, pair_presence, execution)[1]
