"""What happens to tokens inside the network, block by block, without keeping them.

Residues of the first row, rows of the alignment and pairs are tokens that attend to each other; Geshkovski et al.
(2023, 2025) describe how such tokens gather in clusters. The observables here are streamed: nothing of the size of
blocks × heads × residues² is ever stored. Compare them with those of a network of random parameters and of an
alignment with shuffled columns before reading anything into them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .evoformer import EvoformerStack

_EDGES = 41  # of the histogram of cosines, from -1 to 1


@dataclass(frozen=True, eq=False)
class TokenStatistics:
    """Tokens after one block.

    Args:
        cosines: Histogram of the cosines between tokens about their mean: fractions of 40 bins from -1 to 1.
        mean_cosine: Mean cosine between tokens as they are; towards 1 they collapse into one cluster.
        effective_rank: Exponential of the entropy of the singular values: how many directions they fill.
        energy: Σ exp⟨x_i, x_j⟩ / (2n²) of their directions, which attention with Q = K = V = 1 would climb.
    """

    cosines: Float[Tensor, "bins"]
    mean_cosine: float
    effective_rank: float
    energy: float

    @classmethod
    def of(cls, tokens: Float[Tensor, "tokens channels"]) -> "TokenStatistics":
        """Statistics of one set of tokens, two or more, each layer-normalised first."""
        normed = nn.functional.layer_norm(tokens.double(), tokens.shape[-1:])
        upper = torch.triu_indices(len(normed), len(normed), 1)
        edges = torch.linspace(-1, 1, _EDGES, dtype=torch.float64)
        between = _cosines(normed - normed.mean(0))[upper[0], upper[1]].clamp(-1, 1).cpu()
        counts = torch.histogram(between, edges).hist
        cosines = _cosines(normed)
        mean = float(cosines[upper[0], upper[1]].mean())
        return cls(counts / max(1, len(between)), mean, effective_rank(normed), float(cosines.exp().mean() / 2))


@dataclass(eq=False)
class Probe:
    """What a probe has seen, one entry a block.

    Args:
        residues: Residues of the first row as tokens.
        rows: Rows of the alignment as tokens, averaged over residues.
    """

    residues: list[TokenStatistics] = field(default_factory=list)
    rows: list[TokenStatistics] = field(default_factory=list)

    def see(self, msa: Float[Tensor, "rows residues c_msa"]) -> None:
        """Add the alignment after one more block."""
        self.residues.append(TokenStatistics.of(msa[0]))
        normed = nn.functional.layer_norm(msa, msa.shape[-1:])
        self.rows.append(TokenStatistics.of(normed.mean(-2)))


@contextmanager
def probed(stack: EvoformerStack) -> Iterator[Probe]:
    """Watch a stack while the block of the `with` statement runs the network, one protein at a time."""
    probe = Probe()

    def look(_block: nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> None:
        probe.see(output[0].detach())

    handles: list[RemovableHandle] = [block.register_forward_hook(look) for block in stack.blocks]
    try:
        yield probe
    finally:
        for handle in handles:
            handle.remove()


def effective_rank(tokens: Float[Tensor, "tokens channels"]) -> float:
    """Exponential of the entropy of the singular values, as shares of their sum; 0 where all tokens are zero."""
    values = torch.linalg.svdvals(tokens)
    total = values.sum()
    if total == 0:
        return 0.0
    shares = values / total
    return float(torch.special.entr(shares).sum().exp())


def _cosines(tokens: Tensor) -> Tensor:
    directions = nn.functional.normalize(tokens, dim=-1)
    return directions @ directions.T
