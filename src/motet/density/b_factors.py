"""B factors from a map: one for all atoms first, then one for each residue or atom."""

import math
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .correlation import correlation
from .map import DensityMap
from .masks import model_mask
from .model_density import ModelDensity

OVERALL = (5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 80.0, 100.0, 125.0, 150.0, 200.0, 250.0)  # Å²
LOWEST, HIGHEST = 1.0, 500.0  # Å²
SMOOTHNESS = 0.02  # weight of (Δ ln B)² between bonded groups, against a correlation
RATE = 0.08  # of ln B a step
AROUND = 2.5  # Å from an atom that count


@torch.no_grad()
def fit_overall_b(density: DensityMap, coords: Float[Tensor, "atoms 3"], model: ModelDensity) -> float:
    """The one B factor, in Å², with which a model explains a map best; scale and offset do not matter."""
    best = max(OVERALL, key=lambda b: _agreement(density, coords, model, b))
    for step in (1.15, 1.05):
        best = max((best / step, best, best * step), key=lambda b: _agreement(density, coords, model, b))
    return best


def _agreement(density: DensityMap, coords: Tensor, model: ModelDensity, b_factor: float) -> float:
    uniform = model.with_b_factors(torch.full_like(model.b_factors, b_factor))
    return float(correlation(uniform(coords), density.density.to(coords)))


def fit_b_factors(
    density: DensityMap,
    coords: Float[Tensor, "atoms 3"],
    model: ModelDensity,
    groups: Int[Tensor, "atoms"],
    neighbours: Int[Tensor, "pairs 2"],
    *,
    steps: int = 40,
    smoothness: float = SMOOTHNESS,
) -> Float[Tensor, "atoms"]:
    """B factors that explain a map best, in Å²: one a group, those of neighbours alike.

    Args:
        density: The map.
        coords: The model, in Å.
        model: Its density, with the B factors to start from.
        groups: Group of each atom: its residue, or itself.
        neighbours: Pairs of groups whose B factors should be alike.
        steps: Steps of gradient descent (Adam) on ln B.
        smoothness: How much a difference between neighbours costs.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    start = model.b_factors.to(coords).clamp(LOWEST, HIGHEST).log()
    size = torch.zeros(count, device=coords.device, dtype=coords.dtype).index_add_(
        0, groups, torch.ones_like(start)
    )
    log_b = torch.zeros_like(size).index_add_(0, groups, start) / size.clamp_min(1)
    log_b.requires_grad_()
    mask = model_mask(coords, torch.full_like(start, AROUND), density.grid, probe=0.0, shrinkage=0.0)
    target = density.density.to(coords)
    optimiser = torch.optim.Adam([log_b], lr=RATE)
    i, j = neighbours.unbind(-1)
    with torch.enable_grad():
        for _ in range(steps):
            optimiser.zero_grad()
            calculated = replace(model, b_factors=log_b[groups].exp())(coords.detach())
            rough = (log_b[i] - log_b[j]).square().sum() / max(count, 1)
            (1 - correlation(calculated, target, mask) + smoothness * rough).backward()
            optimiser.step()
            with torch.no_grad():
                log_b.clamp_(math.log(LOWEST), math.log(HIGHEST))
    return log_b.detach()[groups].exp()
