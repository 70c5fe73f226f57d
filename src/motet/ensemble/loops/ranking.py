"""Which loop model comes first: energy, neighbours, and how many others say the same.

A near-native loop seldom has the lowest energy of all, but it seldom stands alone. After the colony energy of
Xiang, Soto and Honig (2002) each model counts for those around it, by how good they are and how near they lie:
G = -ln Σ exp(-s / T - (d / δ)²). The score s is the energy, less half the neighbours about the side chains, each
in robust deviations among the models of the same loop. T, δ and the half were chosen on eight loops of other
proteins than the benchmark's.
"""

import torch
from jaxtyping import Float
from torch import Tensor

_NEIGHBOURS = 0.5  # weight beside the energy's 1
_TEMPERATURE = 0.5  # in units of the score
_NEAR = 2.0  # Å, RMSD within which models are of one opinion
_SIGMA = 0.8413  # quantile of a normal distribution at one standard deviation


def colony_scores(
    energies: Float[Tensor, "models"], neighbours: Float[Tensor, "models"], traces: Float[Tensor, "models atoms 3"]
) -> Float[Tensor, "models"]:
    """Lower is better; without units, and only comparable among these models.

    Args:
        energies: In kcal/mol.
        neighbours: Fixed atoms about the side chains.
        traces: Backbone of the loop, in Å, in one frame.
    """
    score = _robust(energies) - _NEIGHBOURS * _robust(neighbours.to(energies))
    flat = traces.to(energies).flatten(1)
    squared = torch.cdist(flat, flat).square() / traces.shape[1]
    return -torch.logsumexp(-score / _TEMPERATURE - squared / _NEAR**2, dim=-1)


def _robust(values: Float[Tensor, "models"]) -> Float[Tensor, "models"]:
    """Deviations from the median, in half the width of the middle 68 %; zeros where that is nothing."""
    if not len(values):
        return values
    level = values.new_tensor([1 - _SIGMA, 0.5, _SIGMA])
    low, middle, high = values.quantile(level).unbind()
    width = (high - low) / 2
    return torch.where(width > 0, (values - middle) / torch.where(width > 0, width, 1.0), 0.0)
