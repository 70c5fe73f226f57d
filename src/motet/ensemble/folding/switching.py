"""Which residues switch: pairs whose predicted distances differ between states."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

NEIGHBOURS = 3  # along the chain: pairs closer than this say nothing


@dataclass(frozen=True, eq=False)
class Switches:
    """How far the distograms of the states lie apart.

    Args:
        divergence: Jensen-Shannon divergence of the states' mean distograms for each pair of residues, from 0
            (the same) to 1 (no distance in common).
    """

    divergence: Float[Tensor, "residues residues"]

    @property
    def residues(self) -> Float[Tensor, "residues"]:
        """Mean divergence of each residue's pairs."""
        far = _far(len(self.divergence))
        return (self.divergence * far).sum(-1) / far.sum(-1).clamp_min(1)

    def strongest(self, count: int) -> tuple[Int[Tensor, "pairs 2"], Float[Tensor, "pairs"]]:
        """The pairs that differ most, and by how much."""
        upper = torch.triu(self.divergence * _far(len(self.divergence)), 1)
        values, flat = upper.flatten().topk(min(count, upper.numel()))
        return torch.stack((flat // len(upper), flat % len(upper)), -1), values


def find_switches(
    distograms: Float[Tensor, "members residues residues bins"],
    labels: Int[Tensor, "members"],
    weights: Float[Tensor, "members"] | None = None,
) -> Switches | None:
    """The divergence between the states that members belong to (negative: none); None for fewer than two states.

    Each state counts alike, however many members it has. Source: Lin (1991), IEEE Trans. Inf. Theory 37, 145.
    """
    states = labels[labels >= 0].unique()
    if len(states) < 2:
        return None
    masses = torch.ones(len(labels)) if weights is None else weights.float()
    means = []
    for state in states.tolist():
        total = torch.zeros(distograms.shape[1:])
        for member in (labels == state).nonzero().squeeze(-1).tolist():  # one at a time: they are large
            total += masses[member] * distograms[member].float()
        means.append(total / total.sum(-1, keepdim=True).clamp_min(torch.finfo(total.dtype).tiny))
    each = torch.stack(means)
    entropy = torch.special.entr(each).sum(-1).mean(0)
    mixed = torch.special.entr(each.mean(0)).sum(-1)
    most = torch.tensor(float(len(states))).log()
    return Switches(((mixed - entropy) / most).clamp(0, 1))


def _far(residues: int) -> Float[Tensor, "residues residues"]:
    places = torch.arange(residues)
    return ((places[:, None] - places).abs() >= NEIGHBOURS).float()
