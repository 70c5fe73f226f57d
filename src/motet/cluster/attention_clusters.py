"""Clustering by self-attention: points become tokens on a sphere, attend to each other, and gather."""

import math
from dataclasses import dataclass, field
from itertools import groupby

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import ConfigError
from .attention_flow import AttentionFlow
from .labels import heaviest_first, memberships
from .points import checked, mean_of

MOMENTS = 60  # at which clusters are counted, evenly in the logarithm of time


@dataclass(frozen=True, eq=False)
class AttentionClustersModel:
    """Directions in which tokens have gathered.

    Args:
        centres: Weighted mean of the points of each cluster, heaviest cluster first.
        labels: Cluster of each point that was fitted.
        origin: The point from which directions are taken.
        times: Moments at which clusters were counted.
        counts: Number of clusters at each.
        time: The moment that was chosen.
        persistence: How long the number of clusters stayed as it was then, as a ratio of times.
    """

    centres: Float[Tensor, "clusters dims"]
    labels: Int[Tensor, "points"]
    origin: Float[Tensor, "dims"]
    times: tuple[float, ...]
    counts: tuple[int, ...]
    time: float
    persistence: float

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """The cluster whose centre lies in the most similar direction."""
        return self._cosines(points).argmax(-1)

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Weighted mean cosine to the nearest centre: higher is better, 1 at best."""
        masses = checked(points, weights)
        return float(mean_of(self._cosines(points).amax(-1)[:, None], masses))

    def _cosines(self, points: Tensor) -> Tensor:
        return normalize(points - self.origin, dim=-1) @ normalize(self.centres - self.origin, dim=-1).mT


@dataclass(frozen=True)
class AttentionClusters:
    """The plateau of self-attention on the sphere: Geshkovski et al. (2025), sections 4 to 6.

    Tokens gather quickly in a few caps, which then stay apart for a time that grows as e^β and merge one by one.
    The answer is the number of clusters that lasts longest on a logarithmic scale of time; one is a legal answer.

    Args:
        beta: Inverse temperature; caps closer than about 2/√β radians merge at once.
        time: How long to look.
        merged: Tokens whose cosine is above 1 - `merged` are in one cluster, as are those that a chain of such
            tokens connects.
        least: A stretch of time shorter than this ratio is no plateau; where there is none, there is one cluster.
        centred: Whether directions are taken from the mean of the cloud; else from its origin.
        step: Step of the integration.
    """

    beta: float
    time: float = field(default=100.0, kw_only=True)
    merged: float = field(default=1e-3, kw_only=True)
    least: float = field(default=4.0, kw_only=True)
    centred: bool = field(default=True, kw_only=True)
    step: float = field(default=0.1, kw_only=True)

    def __post_init__(self) -> None:
        if not self.beta > 0 or not self.time > self.step > 0 or not 0 < self.merged < 1:
            raise ConfigError(
                f"beta={self.beta} must be above 0, step={self.step} above 0 and below time={self.time}, and "
                f"merged={self.merged} between 0 and 1."
            )

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> AttentionClustersModel:
        """The clusters of a cloud; a heavier point attracts more. Nothing is drawn: `generator` is not used."""
        masses = checked(points, weights)
        origin = mean_of(points, masses) if self.centred else torch.zeros_like(points[0])
        times, partitions = self._gathered(normalize(points - origin, dim=-1), masses)
        counts = tuple(int(labels.max()) + 1 for labels in partitions)
        chosen, persistence = _longest(times, counts)
        found = partitions[chosen] if persistence >= self.least else torch.zeros_like(partitions[chosen])
        clusters = int(found.max()) + 1
        labels, _ = heaviest_first(found, masses, clusters)
        share = memberships(labels, masses, clusters)
        centres = share @ points / share.sum(-1, keepdim=True).clamp_min(torch.finfo(points.dtype).tiny)
        return AttentionClustersModel(centres, labels, origin, times, counts, times[chosen], persistence)

    def _gathered(self, tokens: Tensor, masses: Tensor) -> tuple[tuple[float, ...], list[Tensor]]:
        """The partition at each moment; those that have met for good are not followed further."""
        flow = AttentionFlow(beta=self.beta, step=self.step)
        times = [self.step * (self.time / self.step) ** (number / (MOMENTS - 1)) for number in range(MOMENTS)]
        partitions, now = [], 0.0
        for time in times:
            tokens, now = flow.moved(tokens, time - now, masses), time
            partitions.append(_connected(tokens @ tokens.mT > 1 - self.merged))
        return tuple(times), partitions


def _connected(near: Tensor) -> Int[Tensor, "tokens"]:
    """Which tokens a chain of near ones connects, numbered from 0."""
    labels = torch.arange(len(near), device=near.device)
    near = near | torch.eye(len(near), dtype=torch.bool, device=near.device)
    far = torch.full_like(labels, len(near))
    while True:
        lowest = torch.where(near, labels, far[:, None]).amin(-1)
        lowest = lowest[lowest]  # halves the longest chain
        if torch.equal(lowest, labels):
            return labels.unique(return_inverse=True)[1]
        labels = lowest


def _longest(times: tuple[float, ...], counts: tuple[int, ...]) -> tuple[int, float]:
    """The middle of the longest stretch of one count that has gathered anything, and its length as a ratio.

    A count that lasts to the end has lasted at least so long: what comes after is not known, and not added.
    """
    most = max(max(counts) // 2, 1)
    best, ratio, start = len(counts) - 1, 0.0, 0
    for count, stretch in groupby(counts):
        length = len(list(stretch))
        lasted = math.log(times[start + length - 1] / times[start])
        if count <= most and lasted > ratio:
            best, ratio = start + length // 2, lasted
        start += length
    return best, math.exp(ratio)
