"""How alike two clusterings are, and how far apart two weighted sets of states."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError
from .points import checked


def contingency(
    one: Int[Tensor, "points"], two: Int[Tensor, "points_of_two"], weights: Float[Tensor, "points"] | None = None
) -> Float[Tensor, "clusters_of_one clusters_of_two"]:
    """Weight that each cluster of one clustering shares with each of the other, in float64.

    Clusters are numbered as their labels sort; a negative label (noise) counts as a cluster.

    Raises:
        ConfigError: The clusterings are of different numbers of points, or of none.
    """
    if one.shape != two.shape:
        raise ConfigError(f"clusterings of {one.shape[0]} and {two.shape[0]} points cannot be compared.")
    masses = checked(torch.zeros(one.shape[0], 1, dtype=torch.float64, device=one.device), weights)
    rows, columns = (labels[:, None] == labels.unique() for labels in (one, two))
    return rows.to(masses).mT @ (columns * masses[:, None])


def adjusted_rand(one: Int[Tensor, "points"], two: Int[Tensor, "points_of_two"]) -> float:
    """Adjusted Rand index: 1 for equal partitions, 0 expected for unrelated ones (Hubert and Arabie 1985)."""
    shared = contingency(one, two)

    def pairs(counts: Tensor) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, first, second = pairs(shared), pairs(shared.sum(1)), pairs(shared.sum(0))
    everything = pairs(shared.sum())
    if everything == 0 or first == second == both:
        return 1.0  # one point, or the same partition
    expected = first * second / everything
    return (both - expected) / ((first + second) / 2 - expected)


def variation_of_information(
    one: Int[Tensor, "points"], two: Int[Tensor, "points_of_two"], weights: Float[Tensor, "points"] | None = None
) -> float:
    """Variation of information, in nats: a metric on partitions, 0 for equal ones (Meilă 2007)."""
    shared = contingency(one, two, weights)
    shared = shared / shared.sum()

    def entropy(shares: Tensor) -> float:
        return -float(torch.special.xlogy(shares, shares).sum())

    return max(0.0, 2 * entropy(shared) - entropy(shared.sum(0)) - entropy(shared.sum(1)))
