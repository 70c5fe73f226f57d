"""Who attends to whom inside the network, as sums over what passes by: no attention matrix is kept.

Observables of self-attention as interacting particles (Geshkovski et al. 2025): entropy and largest weight of a
row of the attention matrix, and leaders, the tokens that the others attend to.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..nn import GatedSelfAttention
from .evoformer import EvoformerStack
from .interventions import attentions_of


@dataclass(eq=False)
class AttentionStatistics:
    """One attention of one block, over all heads and all sets of tokens that passed.

    Args:
        entropy: Sum of the entropies of the rows of the attention matrices, as shares of the largest possible.
        largest: Sum of the largest weights of the rows.
        rows: Number of such rows.
        received: What each token received, summed over sets, heads and tokens.
        sets: Number of attention matrices.
    """

    entropy: float = 0.0
    largest: float = 0.0
    rows: int = 0
    received: Float[Tensor, "tokens"] | None = None
    sets: int = 0

    def add(self, weights: Float[Tensor, "*batch heads tokens tokens"]) -> None:
        """Count more attention matrices."""
        tokens = weights.shape[-1]
        most = torch.tensor(max(tokens, 2)).log()
        self.entropy += float((torch.special.entr(weights).sum(-1) / most).sum())
        self.largest += float(weights.amax(-1).sum())
        self.rows += weights[..., 0].numel()
        self.sets += weights[..., 0, 0].numel()
        received = weights.flatten(0, -3).sum((0, 1)).double().cpu()
        self.received = received if self.received is None else self.received + received

    @property
    def mean_entropy(self) -> float:
        """1 where every token attends to all alike, 0 where each attends to one only."""
        return self.entropy / max(self.rows, 1)

    @property
    def booleanness(self) -> float:
        """Mean of the largest weight of a row."""
        return self.largest / max(self.rows, 1)

    @property
    def leadership(self) -> Float[Tensor, "tokens"]:
        """Attention that each token receives in a matrix, on average: 1 for all where there are no leaders."""
        assert self.received is not None  # something has passed
        return self.received / self.sets

    @property
    def gini(self) -> float:
        """How unevenly attention is received: 0 where all get the same, near 1 where one gets everything."""
        received = self.leadership.sort().values
        count = len(received)
        ranks = torch.arange(1, count + 1, dtype=received.dtype)
        return float(((2 * ranks - count - 1) * received).sum() / (count * received.sum()))


@dataclass(eq=False)
class AttentionProbe:
    """What was seen, an entry a block: residues attending along rows, and rows attending down columns."""

    along_rows: list[AttentionStatistics] = field(default_factory=list)
    down_columns: list[AttentionStatistics] = field(default_factory=list)

    def leaders(self) -> Float[Tensor, "rows"]:
        """How much attention each row of the alignment receives, averaged over blocks."""
        return torch.stack([one.leadership for one in self.down_columns]).mean(0)

    def stability(self) -> list[float]:
        """Correlation of the leadership of the rows between each block and the next."""
        found = [one.leadership for one in self.down_columns]
        return [float(torch.corrcoef(torch.stack(both))[0, 1]) for both in pairwise(found)]


@contextmanager
def attention_watched(stack: EvoformerStack) -> Iterator[AttentionProbe]:
    """Watch the attention of a stack within the `with` statement; a pass costs about a third more."""
    probe = AttentionProbe()
    handles = []
    for number in range(len(stack.blocks)):
        seen = (AttentionStatistics(), AttentionStatistics())
        probe.along_rows.append(seen[0])
        probe.down_columns.append(seen[1])
        for attention, statistics in zip(attentions_of(stack, [number]), seen, strict=True):
            handles.append(attention.register_forward_pre_hook(_counting(statistics)))
    try:
        yield probe
    finally:
        for handle in handles:
            handle.remove()


def _counting(statistics: AttentionStatistics) -> Callable[[nn.Module, tuple[Tensor | None, ...]], None]:
    @torch.no_grad()
    def count(attention: nn.Module, inputs: tuple[Tensor | None, ...]) -> None:
        assert isinstance(attention, GatedSelfAttention)
        tokens, *bias = inputs
        assert tokens is not None  # only the bias may be left out
        statistics.add(attention.weights(tokens, *bias))

    return count
