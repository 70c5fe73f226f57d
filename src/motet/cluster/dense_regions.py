"""Dense regions of any shape, and noise between them: what every way to find them asks for and answers with."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, TooFewPointsError
from .labels import heaviest_first
from .points import checked
from .silhouette import mean_silhouette, silhouette


@dataclass(frozen=True, eq=False)
class HDBSCANModel:
    """Clusters of points in dense regions, and noise between them.

    Args:
        centres: Mean of each cluster, the largest cluster first.
        labels: Cluster of each point that was fitted; -1 for noise.
        probabilities: How firmly each point belongs to its cluster; 0 for noise.
        members: The points that are in a cluster, by which others are judged.
        member_labels: Cluster of each member.
        reach: Largest distance of a member of each cluster to its nearest fellow.
    """

    centres: Float[Tensor, "clusters dims"]
    labels: Int[Tensor, "points"]
    probabilities: Float[Tensor, "points"]
    members: Float[Tensor, "members dims"]
    member_labels: Int[Tensor, "members"]
    reach: Float[Tensor, "clusters"]

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """The cluster of the nearest member, or -1 where that is farther away than any member from its fellow.

        HDBSCAN itself defines no labels for new points; this is our rule.
        """
        if self.members.shape[0] == 0:
            return torch.full((points.shape[0],), -1, device=points.device)
        found = []
        for rows in points.split(1024):
            distance, nearest = torch.cdist(rows, self.members).min(-1)
            labels = self.member_labels[nearest]
            found.append(torch.where(distance <= self.reach[labels], labels, -1))
        return torch.cat(found)

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Mean silhouette of the points, noise counted as 0."""
        return mean_silhouette(silhouette(points, self.predict(points), weights), weights)


@dataclass(frozen=True)
class DenseEstimator(ABC):
    """A way to find dense regions.

    Args:
        min_cluster_size: Fewest points that are a cluster.
        min_samples: A point is dense when so many, itself counted, are near; None: `min_cluster_size`.
    """

    min_cluster_size: int
    min_samples: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.min_cluster_size < 2 or self.near < 1:
            name = type(self).__name__
            raise ConfigError(f"{name} needs min_cluster_size of at least 2 and min_samples of at least 1.")

    @property
    def near(self) -> int:
        """How many points, itself counted, make a point dense."""
        return self.min_cluster_size if self.min_samples is None else self.min_samples

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> HDBSCANModel:
        """The clusters of a cloud; nothing is drawn.

        Raises:
            ConfigError: Weights are given, which no such method can honour.
            TooFewPointsError: There are fewer points than a cluster needs.
            MissingExtraError: The method is scikit-learn's, which is not installed.
        """
        checked(points, None)
        if weights is not None:
            name = type(self).__name__
            raise ConfigError(f"{name} cannot weigh points; draw points by their weight, or use SESC or MPPCA.")
        if points.shape[0] < max(self.min_cluster_size, self.near):
            raise TooFewPointsError(1, points.shape[0])
        labels, firmness = self._regions(points)
        return _described(points, labels.to(points.device), firmness.to(points))

    @abstractmethod
    def _regions(
        self, points: Float[Tensor, "points dims"]
    ) -> tuple[Int[Tensor, "points"], Float[Tensor, "points"]]:
        """The region of each point, -1 for noise, and how firmly it belongs there."""


def _described(
    points: Float[Tensor, "points dims"], labels: Int[Tensor, "points"], probabilities: Float[Tensor, "points"]
) -> HDBSCANModel:
    """The model of a partition into dense regions and noise (-1), the largest cluster first."""
    clustered = labels >= 0
    count = int(labels.max()) + 1
    members = points[clustered]
    ordered = labels[clustered]
    if count:
        ordered, _ = heaviest_first(ordered, torch.ones_like(ordered, dtype=points.dtype), count)
    labels = labels.masked_scatter(clustered, ordered)
    shares = torch.nn.functional.one_hot(ordered, count).to(points) if count else points.new_zeros(0, 0)
    centres = (shares / shares.sum(0)).mT @ members if count else points[:0]
    return HDBSCANModel(centres, labels, probabilities, members, ordered, _reach(members, ordered, count))


def _reach(members: Tensor, labels: Tensor, count: int) -> Float[Tensor, "clusters"]:
    """Largest distance to the nearest fellow in each cluster."""
    reach = []
    for label in range(count):
        fellows = members[labels == label]
        nearest = [torch.cdist(rows, fellows).topk(2, largest=False).values[:, 1] for rows in fellows.split(1024)]
        reach.append(torch.cat(nearest).amax())
    return torch.stack(reach) if reach else members.new_zeros(0)
