"""What every method of clustering owes its users."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class ClusterModel(Protocol):
    """Clusters that stand alone: they need neither the points nor the settings they were made with."""

    @property
    def centres(self) -> Float[Tensor, "clusters dims"]:
        """Centre of each cluster."""
        ...

    @property
    def labels(self) -> Int[Tensor, "points"]:
        """Cluster of each point that was fitted; -1 for noise."""
        ...

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """Cluster of each point; -1 for noise."""
        ...

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """How well the clusters describe points: higher is better, and comparable within one method."""
        ...


@runtime_checkable
class Clustering(Protocol):
    """Settings in, model out; what is drawn comes from the generator."""

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> ClusterModel:
        """The clusters of a cloud."""
        ...
