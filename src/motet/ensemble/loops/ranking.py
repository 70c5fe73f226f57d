"""Which loop model comes first: energy, neighbours, and how many others say the same.

A near-native loop seldom has the lowest energy of all, but it seldom stands alone. After the colony energy of
Xiang, Soto and Honig (2002) each model counts for those around it, by how good they are and how near they lie:
G = -ln Σ exp(-s / T - (d / δ)²). The score s is the energy, less half the neighbours about the side chains, each
in robust deviations among the models of the same loop. `scripts/train/loop_ranking.py` tries T, δ and
the half on loops of other proteins than the benchmark's; they were chosen on ten.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_SIGMA = 0.8413  # quantile of a normal distribution at one standard deviation


@dataclass(frozen=True, kw_only=True)
class Colony:
    """How models are ranked.

    Args:
        neighbours: Weight of the neighbours about the side chains; that of the energy is 1.
        temperature: T, in units of the score.
        near: δ, RMSD in Å within which models are of one opinion.
    """

    neighbours: float = 0.5
    temperature: float = 0.5
    near: float = 2.0


def colony_scores(
    energies: Float[Tensor, "models"],
    neighbours: Float[Tensor, "models"],
    traces: Float[Tensor, "models atoms 3"],
    how: Colony | None = None,
) -> Float[Tensor, "models"]:
    """Lower is better; without units, and only comparable among these models.

    Args:
        energies: In kcal/mol.
        neighbours: Fixed atoms about the side chains.
        traces: Backbone of the loop, in Å, in one frame.
        how: Weights and widths.
    """
    how = how or Colony()
    score = _robust(energies) - how.neighbours * _robust(neighbours.to(energies))
    flat = traces.to(energies).flatten(1)
    squared = torch.cdist(flat, flat).square() / traces.shape[1]
    return -torch.logsumexp(-score / how.temperature - squared / how.near**2, dim=-1)


def _robust(values: Float[Tensor, "models"]) -> Float[Tensor, "models"]:
    """Deviations from the median, in half the width of the middle 68 %; zeros where that is nothing."""
    if not len(values):
        return values
    level = values.new_tensor([1 - _SIGMA, 0.5, _SIGMA])
    low, middle, high = values.quantile(level).unbind()
    width = (high - low) / 2
    return torch.where(width > 0, (values - middle) / torch.where(width > 0, width, 1.0), 0.0)
