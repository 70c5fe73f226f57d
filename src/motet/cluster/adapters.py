"""HDBSCAN and Gaussian mixtures of scikit-learn, behind the face of the other methods.

scikit-learn is the extra `analysis`: it is imported when a fit begins.
"""

import importlib
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, ConvergenceError, MissingExtraError, TooFewPointsError
from .labels import heaviest_first
from .points import checked, mean_of, seeded
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
class HDBSCAN:
    """Dense regions of any shape: scikit-learn's HDBSCAN (Campello, Moulavi and Sander 2013).

    Args:
        min_cluster_size: Fewest points that are a cluster.
        min_samples: Neighbours that make a point dense; None: as many as `min_cluster_size`.
    """

    min_cluster_size: int
    min_samples: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.min_cluster_size < 2 or (self.min_samples is not None and self.min_samples < 1):
            raise ConfigError("HDBSCAN needs min_cluster_size of at least 2 and min_samples of at least 1.")

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> HDBSCANModel:
        """The clusters of a cloud; nothing is drawn.

        Raises:
            ConfigError: Weights are given, which the method cannot honour.
            TooFewPointsError: There are fewer points than a cluster needs.
            MissingExtraError: scikit-learn is not installed.
        """
        checked(points, None)
        if weights is not None:
            raise ConfigError("HDBSCAN cannot weigh points; draw points by their weight, or use SESC or MPPCA.")
        needed = max(self.min_cluster_size, self.min_samples or 0)
        if points.shape[0] < needed:
            raise TooFewPointsError(1, points.shape[0])
        found = _scikit("sklearn.cluster").HDBSCAN(
            min_cluster_size=self.min_cluster_size, min_samples=self.min_samples, copy=True
        )
        found.fit(points.detach().cpu().numpy())
        labels = torch.as_tensor(found.labels_, device=points.device).long()
        return describe_dense(points, labels, torch.as_tensor(found.probabilities_).to(points))


def describe_dense(
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


@dataclass(frozen=True, eq=False)
class GaussianMixtureModel:
    """A mixture of Gaussians with full covariances in the leading principal components.

    Args:
        shares: Share of each Gaussian, largest first.
        centres: Mean of each.
        labels: Most responsible Gaussian of each point that was fitted.
        log_likelihood: Mean log density of the points that were fitted, in the components, in nats.
        middle: Mean of the cloud.
        axes: Principal components, as columns.
        means: Means in the components.
        covariances: Covariances in the components.
    """

    shares: Float[Tensor, "clusters"]
    centres: Float[Tensor, "clusters dims"]
    labels: Int[Tensor, "points"]
    log_likelihood: float
    middle: Float[Tensor, "dims"]
    axes: Float[Tensor, "dims axes"]
    means: Float[Tensor, "clusters axes"]
    covariances: Float[Tensor, "clusters axes axes"]

    def joint(self, points: Float[Tensor, "new dims"]) -> Float[Tensor, "clusters new"]:
        """Log of share times density of each Gaussian at each point, in the components."""
        view = (points - self.middle) @ self.axes
        gaussians = torch.distributions.MultivariateNormal(self.means, self.covariances, validate_args=False)
        return (gaussians.log_prob(view[:, None]) + self.shares.log()).mT

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """The most responsible Gaussian of each point."""
        return self.joint(points).argmax(0)

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Mean log-likelihood of a point, in nats: higher is better, for the same components."""
        masses = checked(points, weights)
        return float(mean_of(self.joint(points).logsumexp(0)[:, None], masses))


@dataclass(frozen=True)
class GaussianMixture:
    """scikit-learn's mixture of full Gaussians, in the leading principal components.

    Args:
        k: Number of Gaussians.
        components: Principal components to work in, at most: a full covariance of many needs many points.
        starts: Independent starts.
        max_sweeps: Sweeps of expectation-maximisation after which a mixture that still gains is an error.
    """

    k: int
    components: int = field(default=20, kw_only=True)
    starts: int = field(default=5, kw_only=True)
    max_sweeps: int = field(default=500, kw_only=True)

    def __post_init__(self) -> None:
        if min(self.k, self.components, self.starts, self.max_sweeps) < 1:
            raise ConfigError("k, components, starts and max_sweeps of GaussianMixture must be at least 1.")

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> GaussianMixtureModel:
        """The likeliest mixture of all starts; `generator` draws one seed for scikit-learn.

        Raises:
            ConfigError: Weights are given, which the method cannot honour.
            TooFewPointsError: There are fewer points than Gaussians.
            ConvergenceError: The best start still gains after `max_sweeps`.
            MissingExtraError: scikit-learn is not installed.
        """
        checked(points, None)
        if weights is not None:
            raise ConfigError("GaussianMixture cannot weigh points; use MPPCA.")
        if points.shape[0] < max(self.k, 2):
            raise TooFewPointsError(self.k, points.shape[0])
        middle = points.mean(0)
        axes = torch.linalg.svd(points - middle, full_matrices=False).Vh[: self.components].mT
        found = self._found((points - middle) @ axes, seeded(generator))
        shares, means, covariances = (
            torch.as_tensor(part).to(points) for part in (found.weights_, found.means_, found.covariances_)
        )
        order = shares.argsort(descending=True, stable=True)
        model = GaussianMixtureModel(
            shares[order],
            middle + means[order] @ axes.mT,
            order,
            float(found.lower_bound_),
            middle,
            axes,
            means[order],
            covariances[order],
        )
        joint = model.joint(points)
        return replace(model, labels=joint.argmax(0), log_likelihood=float(joint.logsumexp(0).mean()))

    def _found(self, view: Tensor, generator: torch.Generator) -> Any:
        mixture = _scikit("sklearn.mixture")
        seed = int(torch.randint(2**31 - 1, (), generator=generator, device=generator.device))
        estimator = mixture.GaussianMixture(
            self.k, n_init=self.starts, max_iter=self.max_sweeps, random_state=seed, tol=1e-4
        )
        with warnings.catch_warnings():
            # It warns where we raise: below.
            warnings.simplefilter("ignore", _scikit("sklearn.exceptions").ConvergenceWarning)
            estimator.fit(view.detach().cpu().numpy())
        if not estimator.converged_:
            raise ConvergenceError(
                f"GaussianMixture with k={self.k}",
                f"it still gains after {self.max_sweeps} sweeps",
                "raise max_sweeps",
            )
        return estimator


def _reach(members: Tensor, labels: Tensor, count: int) -> Float[Tensor, "clusters"]:
    """Largest distance to the nearest fellow in each cluster."""
    reach = []
    for label in range(count):
        fellows = members[labels == label]
        nearest = [torch.cdist(rows, fellows).topk(2, largest=False).values[:, 1] for rows in fellows.split(1024)]
        reach.append(torch.cat(nearest).amax())
    return torch.stack(reach) if reach else members.new_zeros(0)


def _scikit(module: str) -> Any:
    """A module of scikit-learn."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "analysis") from error
