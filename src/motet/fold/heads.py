"""What is predicted beside the structure, and how sure the network is of it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from ..nn import LayerNorm
from .config import AlphaFoldConfig
from .residues import ATOMS, MASKED

FIRST_DISTANCE, LAST_DISTANCE = 2.3125, 21.6875  # edges of the distogram, in Å
_SHORTEST_PROTEIN = 19  # below it the length scale of the TM-score has no meaning


class LddtHead(nn.Module):
    """predictPerResidueLDDT_Cα: Jumper et al. (2021), Suppl. Alg. 29."""

    def __init__(self, c_single: int, width: int, bins: int) -> None:
        super().__init__()
        self.norm = LayerNorm(c_single)
        self.first = nn.Linear(c_single, width)
        self.second = nn.Linear(width, width)
        self.to_logits = nn.Linear(width, bins)

    def forward(self, single: Float[Tensor, "*batch residues c_single"]) -> Float[Tensor, "*batch residues bins"]:
        """Logits of the local distance difference test, bin by bin from 0 to 1."""
        return self.to_logits(relu(self.second(relu(self.first(self.norm(single))))))


class DistogramHead(nn.Module):
    """Distances between Cβ atoms: Jumper et al. (2021), Suppl. 1.9.8."""

    def __init__(self, c_pair: int, bins: int) -> None:
        super().__init__()
        self.to_logits = nn.Linear(c_pair, bins)

    def forward(
        self, pair: Float[Tensor, "*batch residues residues c_pair"]
    ) -> Float[Tensor, "*batch residues residues bins"]:
        """Logits of each bin; the same for (i, j) and (j, i)."""
        half = self.to_logits(pair)
        return half + half.transpose(-2, -3)


class Heads(nn.Module):
    """All heads: Jumper et al. (2021), Suppl. 1.9.6 to 1.9.10."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        sizes, c_pair = config.heads, config.evoformer.c_pair
        self.lddt = LddtHead(config.c_single, sizes.c_lddt, sizes.lddt_bins)
        self.distogram = DistogramHead(c_pair, sizes.distogram_bins)
        self.resolved = nn.Linear(config.c_single, ATOMS)
        self.masked_msa = nn.Linear(config.evoformer.c_msa, MASKED + 1)
        self.aligned_error = nn.Linear(c_pair, sizes.error_bins) if sizes.aligned_error else None


def distogram_edges(logits: Float[Tensor, "*batch bins"]) -> Float[Tensor, "edges"]:
    """Edges between the bins of a distogram, in Å; the last bin has no end."""
    return torch.linspace(
        FIRST_DISTANCE, LAST_DISTANCE, logits.shape[-1] - 1, dtype=logits.dtype, device=logits.device
    )


def lddt_of(logits: Float[Tensor, "*batch residues bins"]) -> Float[Tensor, "*batch residues"]:
    """Expected lDDT of each residue, from 0 to 100."""
    bins = logits.shape[-1]
    centres = (torch.arange(bins, dtype=logits.dtype, device=logits.device) + 0.5) / bins
    return 100 * (logits.softmax(-1) * centres).sum(-1)


def error_edges(logits: Float[Tensor, "*batch bins"], largest: float) -> Float[Tensor, "edges"]:
    """Edges between the bins of an aligned error, in Å; the last bin has no end."""
    return torch.linspace(0, largest, logits.shape[-1] - 1, dtype=logits.dtype, device=logits.device)


def error_centres(logits: Float[Tensor, "*batch bins"], largest: float) -> Float[Tensor, "bins"]:
    """Centre of each bin of an aligned error, in Å; the last is also the largest error that can be predicted."""
    step = largest / (logits.shape[-1] - 2)
    return (torch.arange(logits.shape[-1], dtype=logits.dtype, device=logits.device) + 0.5) * step


def aligned_error_of(
    logits: Float[Tensor, "*batch residues residues bins"], largest: float
) -> Float[Tensor, "*batch residues residues"]:
    """Expected error of residue j, in Å, when predicted and true structure are laid on residue i."""
    return (logits.softmax(-1) * error_centres(logits, largest)).sum(-1)


def tm_score_of(
    logits: Float[Tensor, "*batch residues residues bins"],
    presence: Float[Tensor, "*batch residues"],
    largest: float,
) -> Float[Tensor, "*batch"]:
    """pTM, the expected TM-score for the best residue to align on: Jumper et al. (2021), Suppl. 1.9.7."""
    length = presence.sum(-1).clamp(min=_SHORTEST_PROTEIN)
    scale = 1.24 * (length - 15) ** (1 / 3) - 1.8
    per_bin = 1 / (1 + (error_centres(logits, largest) / scale[..., None]).square())
    expected = (logits.softmax(-1) * per_bin[..., None, None, :]).sum(-1)
    weight = presence[..., :, None] * presence[..., None, :]
    by_frame = (expected * weight).sum(-1) / (1e-8 + weight.sum(-1))
    return (by_frame * presence).amax(-1)
