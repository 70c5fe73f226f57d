"""k-means++ on whatever cost a model has, many starts in one batch."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import TooFewPointsError
from .points import uniform

Costs = Callable[[Tensor], Tensor]  # indices "starts trials" of seeds → costs "starts trials points"


def seeds(
    costs: Costs,
    weights: Float[Tensor, "points"],
    k: int,
    starts: int,
    generator: torch.Generator,
    tiny: float,
) -> Int[Tensor, "starts k"]:
    """Points to start k clusters from: each drawn by the cost that the seeds before it leave.

    Each seed is the best of 2 + ln k draws, as Arthur and Vassilvitskii (2007) propose for their k-means++.

    Args:
        costs: Cost of every point were the given point the only seed.
        weights: Weight of each point; a point of weight 0 is never drawn.
        k: Number of seeds.
        starts: Number of independent sets of seeds.
        generator: Source of random numbers.
        tiny: Cost that is rounding: a cloud whose points all cost less has no more distinct points.

    Raises:
        TooFewPointsError: Fewer than k points are distinct.
    """
    trials = 2 + int(math.log(k))
    first = _drawn(weights.expand(starts, -1), 1, generator)
    chosen, served = [first[:, 0]], costs(first)[:, 0]
    for found in range(1, k):
        left = weights * torch.where(served > tiny, served, 0.0)
        if not (left.sum(-1) > 0).all():
            raise TooFewPointsError(k, found)
        draws = _drawn(left, trials, generator)
        after = torch.minimum(costs(draws), served[:, None])
        best = (after @ weights).argmin(-1)
        rows = torch.arange(starts, device=best.device)
        chosen.append(draws[rows, best])
        served = after[rows, best]
    return torch.stack(chosen, dim=-1)


def _drawn(
    mass: Float[Tensor, "starts points"], draws: int, generator: torch.Generator
) -> Int[Tensor, "starts draws"]:
    """Points drawn with probability proportional to their mass, with replacement."""
    cumulative = mass.cumsum(-1)
    targets = uniform((mass.shape[0], draws), generator, mass) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, targets, right=True).clamp_max(mass.shape[1] - 1)
