"""Silhouette: how much closer a point lies to its own cluster than to the next one."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError
from .points import checked, mean_of, squared_distances


def silhouette(
    points: Float[Tensor, "points dims"],
    labels: Int[Tensor, "points"],
    weights: Float[Tensor, "points"] | None = None,
    *,
    chunk: int = 1024,
) -> Float[Tensor, "points"]:
    """Silhouette of every point, from -1 (in the wrong cluster) to 1: Rousseeuw (1987), Euclidean distance.

    Distances to a cluster are weighted means, without the point itself. A point alone in its cluster reads 0,
    as do noise (a negative label, which belongs to no cluster) and every point when there is one cluster.

    Args:
        points: The cloud.
        labels: Cluster of each point.
        weights: Weight of each point; 1 where none are given.
        chunk: Rows of the distance matrix that exist at one time.
    """
    masses = checked(points, weights)
    cloud = points - mean_of(points, masses)
    numbers, members = _members(labels, masses)
    sums = [squared_distances(cloud, rows).sqrt() @ members for rows in cloud.split(chunk)]
    return _contrast(torch.cat(sums), numbers, members, masses)


def silhouette_of_distances(
    distances: Float[Tensor, "points points"],
    labels: Int[Tensor, "points"],
    weights: Float[Tensor, "points"] | None = None,
) -> Float[Tensor, "points"]:
    """Silhouette of every point from a matrix of distances, such as the RMSD of all pairs; else as `silhouette`.

    Raises:
        ConfigError: A distance is negative.
    """
    masses = checked(distances, weights)
    if (distances < 0).any():
        raise ConfigError("a distance is negative; give distances, not similarities.")
    numbers, members = _members(labels, masses)
    return _contrast(distances @ members, numbers, members, masses)


def mean_silhouette(values: Float[Tensor, "points"], weights: Float[Tensor, "points"] | None = None) -> float:
    """Weighted mean of the silhouettes of points."""
    return float(mean_of(values[:, None], checked(values[:, None], weights)))


def _members(
    labels: Int[Tensor, "points"], masses: Float[Tensor, "points"]
) -> tuple[Int[Tensor, "points"], Float[Tensor, "points clusters"]]:
    """Labels renumbered without gaps (noise stays negative), and the weight of each point in each cluster."""
    found = labels[(labels >= 0) & (masses > 0)].unique()
    belongs = labels[:, None] == found
    numbers = (belongs * torch.arange(1, found.numel() + 1, device=labels.device)).sum(-1) - 1
    return numbers, belongs * masses[:, None]


def _contrast(
    sums: Float[Tensor, "points clusters"],
    numbers: Int[Tensor, "points"],
    members: Float[Tensor, "points clusters"],
    masses: Float[Tensor, "points"],
) -> Float[Tensor, "points"]:
    """(b - a) / max(a, b) from each point's summed distances to each cluster."""
    if members.shape[1] < 2:
        return torch.zeros_like(masses)
    clustered = numbers >= 0
    own = torch.nn.functional.one_hot(numbers.clamp_min(0), members.shape[1]).bool()
    totals = members.sum(0).expand_as(sums)
    counts = (members > 0).sum(0).expand_as(sums)
    company = totals[own] - torch.where(clustered, masses, 0.0)
    accompanied = clustered & (counts[own] - (masses > 0).long() > 0) & (company > 0)
    within = torch.where(accompanied, sums[own] / torch.where(accompanied, company, 1.0), 0.0)
    between = (sums / totals).masked_fill(own, torch.inf).amin(-1)
    larger = torch.maximum(within, between)
    exists = accompanied & (larger > 0)
    return torch.where(exists, (between - within) / torch.where(exists, larger, 1.0), 0.0)
