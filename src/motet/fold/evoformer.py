"""The trunk: alignment and pairs inform each other, block after block."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor, nn

from ..nn import (
    PLAIN,
    ColumnAttention,
    Execution,
    GlobalColumnAttention,
    OuterProductMean,
    RowAttention,
    Transition,
    TriangleAttention,
    TriangleAttentionEnding,
    TriangleMultiplicationIncoming,
    TriangleMultiplicationOutgoing,
    shared_dropout,
)
from .config import StackConfig

_ROWS, _COLUMNS = -3, -2  # the axis along which a dropout mask is shared


class PairUpdates(nn.Module, ABC):
    """The five updates of a pair representation; in which order they come is for the subclass."""

    def __init__(self, *, c_pair: int, c_triangle: int, heads: int, factor: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.multiply_outgoing = TriangleMultiplicationOutgoing(c_pair=c_pair, c_hidden=c_triangle)
        self.multiply_incoming = TriangleMultiplicationIncoming(c_pair=c_pair, c_hidden=c_triangle)
        self.attend_starting = TriangleAttention(c_pair=c_pair, heads=heads, c_head=c_pair // heads)
        self.attend_ending = TriangleAttentionEnding(c_pair=c_pair, heads=heads, c_head=c_pair // heads)
        self.transition = Transition(channels=c_pair, factor=factor)

    @abstractmethod
    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The pair representation after the updates."""

    def multiplied(self, pair: Tensor, presence: Tensor | None, execution: Execution) -> Tensor:
        """After both triangle multiplications."""
        for multiply in (self.multiply_outgoing, self.multiply_incoming):
            pair = pair + shared_dropout(multiply(pair, presence, execution), self.dropout, _ROWS, execution)
        return pair

    def attended(self, pair: Tensor, presence: Tensor | None, execution: Execution) -> Tensor:
        """After both triangle attentions."""
        update = self.attend_starting(pair, presence, execution)
        pair = pair + shared_dropout(update, self.dropout, _ROWS, execution)
        update = self.attend_ending(pair, presence, execution)
        return pair + shared_dropout(update, self.dropout, _COLUMNS, execution)


class PairBlock(PairUpdates):
    """The pair half of an Evoformer block: Jumper et al. (2021), Suppl. Alg. 6, lines 6 to 10."""

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """Multiplications first, then attentions."""
        pair = self.multiplied(pair, presence, execution)
        pair = self.attended(pair, presence, execution)
        return pair + self.transition(pair, execution)


class EvoformerBlock(nn.Module):
    """One block of EvoformerStack: Jumper et al. (2021), Suppl. Alg. 6, lines 2 to 10.

    Args:
        config: Sizes.
        column_attention: Attention down the columns: in full, or the cheap one of the extra stack.
    """

    def __init__(self, config: StackConfig, column_attention: ColumnAttention | GlobalColumnAttention) -> None:
        super().__init__()
        c_msa, c_pair, heads = config.c_msa, config.c_pair, config.msa_heads
        self.dropout = config.msa_dropout
        self.row_attention = RowAttention(c_msa=c_msa, c_pair=c_pair, heads=heads, c_head=c_msa // heads)
        self.column_attention = column_attention
        self.msa_transition = Transition(channels=c_msa, factor=config.transition_factor)
        self.outer_product_mean = OuterProductMean(c_msa=c_msa, c_pair=c_pair, c_outer=config.c_outer)
        self.pair = PairBlock(
            c_pair=c_pair,
            c_triangle=config.c_triangle,
            heads=config.pair_heads,
            factor=config.transition_factor,
            dropout=config.pair_dropout,
        )

    def forward(
        self,
        msa: Float[Tensor, "*batch rows residues c_msa"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        msa_presence: Float[Tensor, "*batch rows residues"] | None = None,
        pair_presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> tuple[Float[Tensor, "*batch rows residues c_msa"], Float[Tensor, "*batch residues residues c_pair"]]:
        """Both representations, updated."""
        update = self.row_attention(msa, pair, msa_presence, execution)
        msa = msa + shared_dropout(update, self.dropout, _ROWS, execution)
        msa = msa + self.column_attention(msa, msa_presence, execution)
        msa = msa + self.msa_transition(msa, execution)
        pair = pair + self.outer_product_mean(msa, msa_presence, execution)
        return msa, self.pair(pair, pair_presence, execution)


class EvoformerStack(nn.Module):
    """EvoformerStack: Jumper et al. (2021), Suppl. Alg. 6."""

    def __init__(self, blocks: Iterable[EvoformerBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    @classmethod
    def of_clusters(cls, config: StackConfig) -> "EvoformerStack":
        """The main stack, on the cluster centres."""
        sizes = {"c_msa": config.c_msa, "heads": config.msa_heads, "c_head": config.c_msa // config.msa_heads}
        return cls(EvoformerBlock(config, ColumnAttention(**sizes)) for _ in range(config.blocks))

    def forward(
        self,
        msa: Float[Tensor, "*batch rows residues c_msa"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        msa_presence: Float[Tensor, "*batch rows residues"] | None = None,
        pair_presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> tuple[Float[Tensor, "*batch rows residues c_msa"], Float[Tensor, "*batch residues residues c_pair"]]:
        """Both representations after all blocks."""
        for block in self.blocks:
            msa, pair = block(msa, pair, msa_presence, pair_presence, execution)
        return msa, pair
