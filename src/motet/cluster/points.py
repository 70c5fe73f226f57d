"""A cloud of points as every estimator wants it: finite, not empty, each point with a weight."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError, NonFiniteError


def checked(
    points: Float[Tensor, "points dims"], weights: Float[Tensor, "points"] | None
) -> Float[Tensor, "points"]:
    """The weights of the points, 1 where none are given.

    Raises:
        NonFiniteError: A coordinate is infinite or not a number.
        ConfigError: There are no points, or the weights are negative, not finite, or all zero.
    """
    if points.shape[0] == 0 or points.shape[1] == 0:
        raise ConfigError(f"a cloud of shape {tuple(points.shape)} holds nothing to cluster; give it points.")
    if not points.isfinite().all():
        raise NonFiniteError("points to cluster")
    if weights is None:
        return points.new_ones(points.shape[0])
    if not weights.isfinite().all() or (weights < 0).any() or not (weights > 0).any():
        raise ConfigError("weights must be finite and at least 0, with one above 0; check where they come from.")
    return weights.to(points)


def seeded(generator: torch.Generator | None) -> torch.Generator:
    """The given source of random numbers, or a new one with seed 0: never the global one."""
    return generator if generator is not None else torch.Generator().manual_seed(0)


def uniform(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Uniform draws in [0, 1), made where the generator lives and moved to where `like` lives."""
    return torch.rand(shape, generator=generator, dtype=like.dtype, device=generator.device).to(like.device)


def normal(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Standard normal draws, made where the generator lives and moved to where `like` lives."""
    return torch.randn(shape, generator=generator, dtype=like.dtype, device=generator.device).to(like.device)


def mean_of(points: Float[Tensor, "points dims"], weights: Float[Tensor, "points"]) -> Float[Tensor, "dims"]:
    """Weighted mean."""
    return (weights / weights.sum()) @ points


def squared_distances(
    points: Float[Tensor, "points dims"], centres: Float[Tensor, "*batch dims"]
) -> Float[Tensor, "*batch points"]:
    """Squared distance of every point to every centre, never negative.

    It is one matrix product, so distances below about 1e-3 (float32) or 1e-8 (float64) of the distance to
    the origin drown in rounding: centre the cloud first.
    """
    cross = centres @ points.mT
    squares = centres.square().sum(-1, keepdim=True) + points.square().sum(-1)
    return (squares - 2 * cross).clamp_min(0)
