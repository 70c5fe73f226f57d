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
from .dense_regions import DenseEstimator
from .points import checked, mean_of, seeded


@dataclass(frozen=True)
class HDBSCAN(DenseEstimator):
    """Dense regions of any shape: scikit-learn's HDBSCAN (Campello, Moulavi and Sander 2013); needs the extra."""

    def _regions(
        self, points: Float[Tensor, "points dims"]
    ) -> tuple[Int[Tensor, "points"], Float[Tensor, "points"]]:
        found = _scikit("sklearn.cluster").HDBSCAN(
            min_cluster_size=self.min_cluster_size, min_samples=self.near, copy=True
        )
        found.fit(points.detach().cpu().numpy())
        return torch.as_tensor(found.labels_).long(), torch.as_tensor(found.probabilities_)


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


def _scikit(module: str) -> Any:
    """A module of scikit-learn."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "analysis") from error
