"""k-means: k centres that leave the smallest squared distance."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, ConvergenceError, TooFewPointsError
from .labels import heaviest_first
from .points import checked, mean_of, seeded, squared_distances
from .seeding import seeds


@dataclass(frozen=True, eq=False)
class KMeansModel:
    """Centres found by k-means.

    Args:
        centres: Weighted mean of each cluster, the heaviest cluster first.
        labels: Cluster of each point that was fitted.
        cost: Sum over the points of weight times squared distance to the centre.
        sweeps: Sweeps that the best start took to converge.
    """

    centres: Float[Tensor, "clusters dims"]
    labels: Int[Tensor, "points"]
    cost: float
    sweeps: int

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """The nearest centre of each point."""
        return self._distances(points).argmin(0)

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Minus the mean squared distance to the nearest centre: higher is better."""
        masses = checked(points, weights)
        return -float(mean_of(self._distances(points).amin(0)[:, None], masses))

    def _distances(self, points: Tensor) -> Float[Tensor, "clusters new"]:
        middle = self.centres.mean(0)
        return squared_distances(points - middle, self.centres - middle)


@dataclass(frozen=True)
class KMeans:
    """Lloyd's algorithm from k-means++ seeds, all starts in one batch; the cheapest start wins.

    A cluster that loses all its points restarts at the point that costs most.

    Args:
        k: Number of clusters.
        starts: Independent starts.
        max_sweeps: Sweeps after which a start that still moves is an error.
    """

    k: int
    starts: int = field(default=10, kw_only=True)
    max_sweeps: int = field(default=300, kw_only=True)

    def __post_init__(self) -> None:
        if min(self.k, self.starts, self.max_sweeps) < 1:
            raise ConfigError(
                f"k={self.k}, starts={self.starts}, max_sweeps={self.max_sweeps} must all be at least 1."
            )

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> KMeansModel:
        """The best of all starts; `generator` draws the seeds (none: a new one with seed 0).

        Raises:
            TooFewPointsError: Fewer than k points are distinct.
            ConvergenceError: A start still moves after `max_sweeps`.
        """
        masses = checked(points, weights)
        if self.k > points.shape[0]:
            raise TooFewPointsError(self.k, points.shape[0])
        middle = mean_of(points, masses)
        cloud = points - middle
        centres = self._seeds(cloud, masses, seeded(generator))
        labels, centres, costs, sweeps = _lloyd(cloud, masses, centres, self.max_sweeps)
        best = int(costs.argmin())
        labels, order = heaviest_first(labels[best], masses, self.k)
        return KMeansModel(centres[best][order] + middle, labels, float(costs[best]), int(sweeps[best]))

    def _seeds(self, cloud: Tensor, masses: Tensor, generator: torch.Generator) -> Tensor:
        scale = float(cloud.square().sum(-1).amax())
        tiny = 4 * torch.finfo(cloud.dtype).eps * cloud.shape[1] ** 0.5 * scale
        chosen = seeds(
            lambda draws: squared_distances(cloud, cloud[draws]), masses, self.k, self.starts, generator, tiny
        )
        return cloud[chosen]


def _lloyd(
    cloud: Float[Tensor, "points dims"],
    masses: Float[Tensor, "points"],
    centres: Float[Tensor, "starts clusters dims"],
    max_sweeps: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Labels, centres, cost and number of sweeps of each start; a start that has converged rests."""
    starts = centres.shape[0]
    centres = centres.clone()
    labels = torch.full((starts, cloud.shape[0]), -1, device=cloud.device)
    costs = cloud.new_full((starts,), torch.inf)
    sweeps = torch.zeros_like(labels[:, 0])
    moving = torch.arange(starts, device=cloud.device)
    for _ in range(max_sweeps):
        cost, nearest = squared_distances(cloud, centres[moving]).min(dim=1)
        nearest = _fill(nearest, masses * cost, masses, centres.shape[1])
        total = (masses * cost).sum(-1)
        # Ties can make labels cycle for ever at one cost, so a cost that no longer falls ends a start, too.
        still = (nearest != labels[moving]).any(-1) & (total < costs[moving])
        labels[moving], costs[moving] = nearest, torch.minimum(total, costs[moving])
        centres[moving] = _means(cloud, masses, nearest, centres[moving])
        sweeps[moving] += 1
        moving = moving[still]
        if moving.numel() == 0:
            return labels, centres, _costs(cloud, masses, labels, centres), sweeps
    raise ConvergenceError(
        f"k-means with k={centres.shape[1]}",
        f"{moving.numel()} of {starts} starts still moved after {max_sweeps} sweeps",
        "raise max_sweeps",
    )


def _fill(
    labels: Int[Tensor, "starts points"],
    costs: Float[Tensor, "starts points"],
    masses: Float[Tensor, "points"],
    k: int,
) -> Int[Tensor, "starts points"]:
    """Labels in which every cluster without weight has taken over the point that costs most.

    Only points whose cluster keeps other points of weight are taken, or filling one would empty another.
    """
    filled = (torch.nn.functional.one_hot(labels, k).to(masses) * masses[:, None]).sum(1) > 0
    for start in (~filled).any(-1).nonzero()[:, 0].tolist():
        counts = torch.bincount(labels[start][masses > 0], minlength=k)
        order = iter(costs[start].argsort(descending=True, stable=True).tolist())
        for empty in (counts == 0).nonzero()[:, 0].tolist():
            point = next(i for i in order if masses[i] > 0 and counts[labels[start, i]] > 1)
            counts[labels[start, point]] -= 1
            counts[empty] += 1
            labels[start, point] = empty
    return labels


def _means(cloud: Tensor, masses: Tensor, labels: Tensor, before: Tensor) -> Tensor:
    """Weighted mean of each cluster of each start, as one matrix product."""
    members = torch.nn.functional.one_hot(labels, before.shape[1]).to(masses) * masses[:, None]
    return (members / members.sum(1, keepdim=True)).mT @ cloud


def _costs(cloud: Tensor, masses: Tensor, labels: Tensor, centres: Tensor) -> Float[Tensor, "starts"]:
    """Cost of each start for its final centres, without the rounding of the matrix product."""
    own = [centre[label] for centre, label in zip(centres, labels, strict=True)]
    return torch.stack([((cloud - middle).square().sum(-1) * masses).sum() for middle in own])
