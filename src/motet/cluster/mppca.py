"""Mixture of probabilistic principal component analysers: Tipping and Bishop (1999).

x ~ sum of pi_k N(mu_k, W_k W_k^T + s_k^2 I), each component with its own number of columns in W_k.
"""

import math
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, ConvergenceError, TooFewPointsError
from .kmeans import KMeans
from .labels import memberships
from .points import checked, mean_of, seeded, squared_distances
from .sesc import SESC
from .subspace import leading, scatter

FLOOR = 1e-6  # smallest variance of a component, as a share of the mean variance of the cloud along one axis
NEGLIGIBLE = 1e-10  # responsibility below which a point costs no time in a component


class LostComponentError(ConvergenceError):
    """No point is left in a component of a mixture."""


@dataclass(frozen=True, eq=False)
class MPPCAModel:
    """A mixture of Gaussians, each a subspace with its variances and one variance for all other directions.

    Args:
        shares: Share of each component, largest first.
        centres: Mean of each component.
        axes: Orthonormal columns of each subspace, widest first; zero columns beyond its dimension.
        variances: Variance along each axis, the noise in it counted; the noise alone beyond the dimension.
        noise: Variance in every direction off the subspace.
        dimensions: Dimension of each subspace.
        labels: Most responsible component of each point that was fitted.
        log_likelihood: Mean over the points that were fitted of the log density, in nats.
        points: Sum of the weights of the points that were fitted.
        sweeps: Sweeps of expectation-maximisation; 0 for a mixture of given labels.
    """

    shares: Float[Tensor, "clusters"]
    centres: Float[Tensor, "clusters dims"]
    axes: Float[Tensor, "clusters dims axes"]
    variances: Float[Tensor, "clusters axes"]
    noise: Float[Tensor, "clusters"]
    dimensions: Int[Tensor, "clusters"]
    labels: Int[Tensor, "points"]
    log_likelihood: float
    points: float
    sweeps: int

    @property
    def parameters(self) -> int:
        """Free parameters: shares, means, subspaces, variances along and off them (Bouveyron et al. 2007)."""
        clusters, dims = self.centres.shape
        subspaces = sum(d * dims - d * (d + 1) // 2 + d + 1 for d in self.dimensions.tolist())
        return clusters - 1 + clusters * dims + subspaces

    @property
    def bic(self) -> float:
        """Bayesian information criterion, -2 log L + parameters log n: lower is better."""
        return -2 * self.log_likelihood * self.points + self.parameters * math.log(self.points)

    def joint(self, points: Float[Tensor, "new dims"]) -> Float[Tensor, "clusters new"]:
        """Log of share times density of each component at each point."""
        middle = self.centres.mean(0)
        cloud, centres = points - middle, self.centres - middle
        away = squared_distances(cloud, centres)
        coordinates = cloud @ self.axes - centres[:, None] @ self.axes
        squares = coordinates.square()
        off = (away - squares.sum(-1)).clamp_min(0)
        inside = torch.arange(self.axes.shape[-1], device=points.device) < self.dimensions[:, None]
        distance = (squares / self.variances[:, None]).sum(-1) + off / self.noise[:, None]
        volume = (self.variances.log() * inside).sum(-1)
        volume = volume + (points.shape[1] - self.dimensions) * self.noise.log()
        constant = self.shares.log() - (volume + points.shape[1] * math.log(2 * math.pi)) / 2
        return constant[:, None] - distance / 2

    def responsibilities(self, points: Float[Tensor, "new dims"]) -> Float[Tensor, "clusters new"]:
        """Probability of each component given the point."""
        return self.joint(points).softmax(0)

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """The most responsible component of each point."""
        return self.joint(points).argmax(0)

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Mean log-likelihood of a point, in nats: higher is better."""
        masses = checked(points, weights)
        return float(mean_of(self.joint(points).logsumexp(0)[:, None], masses))


@dataclass(frozen=True)
class MPPCA:
    """Expectation-maximisation from the labels of SESC and of k-means; the likelier end wins.

    Responsibilities saturate in many dimensions, so the start matters more than the sweeps, and a start from which
    a component loses all its points is out of the race.

    Args:
        k: Number of components.
        dimension: Dimension of every subspace; None: those that SESC finds by the scree test.
        starts: Starts of SESC and of k-means.
        tolerance: Gain in the mean log-likelihood of a point below which a sweep is the last, in nats.
        max_sweeps: Sweeps after which a mixture that still gains is an error.
    """

    k: int
    dimension: int | None = field(default=None, kw_only=True)
    starts: int = field(default=20, kw_only=True)
    tolerance: float = field(default=1e-4, kw_only=True)
    max_sweeps: int = field(default=500, kw_only=True)

    def __post_init__(self) -> None:
        if min(self.k, self.starts, self.max_sweeps) < 1 or not self.tolerance > 0:
            raise ConfigError("k, starts and max_sweeps of MPPCA must be at least 1, and tolerance above 0.")

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> MPPCAModel:
        """The likelier of both mixtures; `generator` draws the seeds (none: a new one with seed 0).

        Raises:
            ConfigError: The dimension is not below that of the points.
            TooFewPointsError: There are too few distinct points for k components of that dimension.
            ConvergenceError: A mixture still gains after `max_sweeps`.
            LostComponentError: Both mixtures have lost a component.
        """
        source = seeded(generator)
        balls = SESC(self.k, dimension=self.dimension, starts=self.starts)
        first = balls.fit(points, weights=weights, generator=source)
        means = KMeans(self.k, starts=self.starts).fit(points, weights=weights, generator=source)
        ends, lost = [], None
        for start in (first, means):
            try:
                ends.append(self._climbed(points, weights, start.labels, first.dimensions))
            except LostComponentError as error:  # in many dimensions a basin cut in two goes wholly to one half
                lost = error
        if lost and not ends:
            raise lost
        return max(ends, key=lambda model: model.log_likelihood)

    def _climbed(self, points: Tensor, weights: Tensor | None, labels: Tensor, dimensions: Tensor) -> MPPCAModel:
        masses = checked(points, weights)
        model = mixture_of_labels(points, labels, dimensions, weights=weights)
        before = -math.inf
        for sweep in range(self.max_sweeps):
            joint = model.joint(points)
            density = joint.logsumexp(0)
            reached = float(mean_of(density[:, None], masses))
            if reached - before < self.tolerance:
                return _ordered(replace(model, labels=joint.argmax(0), log_likelihood=reached, sweeps=sweep))
            before = reached
            shared = (joint - density).exp()
            model = _maximised(points, torch.where(shared > NEGLIGIBLE, shared, 0.0) * masses, model.dimensions)
        raise ConvergenceError(
            f"MPPCA with k={self.k}",
            f"the likelihood still grows by {self.tolerance:g} nats a point after {self.max_sweeps} sweeps",
            "raise max_sweeps or tolerance",
        )


def mixture_of_labels(
    points: Float[Tensor, "points dims"],
    labels: Int[Tensor, "points"],
    dimensions: Int[Tensor, "clusters"],
    *,
    weights: Float[Tensor, "points"] | None = None,
) -> MPPCAModel:
    """The likeliest mixture in which each point belongs wholly to the cluster of its label.

    It gives a likelihood to clusters that have none, such as those of k-means (all dimensions 0) and SESC.

    Raises:
        ConfigError: A dimension is not below that of the points.
        TooFewPointsError: A cluster is empty.
    """
    masses = checked(points, weights)
    if int(dimensions.max()) >= points.shape[1]:
        raise ConfigError(f"dimensions={dimensions.tolist()} must be below the {points.shape[1]} of the points.")
    members = memberships(labels, masses, dimensions.shape[0])
    if (members.sum(-1) == 0).any():
        raise TooFewPointsError(dimensions.shape[0], int((members.sum(-1) > 0).sum()))
    model = _maximised(points, members, dimensions)
    return replace(model, labels=labels, log_likelihood=model.score(points, weights))


def _maximised(
    points: Float[Tensor, "points dims"],
    members: Float[Tensor, "clusters points"],
    dimensions: Int[Tensor, "clusters"],
) -> MPPCAModel:
    """The likeliest mixture for given responsibilities; labels and likelihood are still to be filled in."""
    totals = members.sum(-1)
    if not (totals > 0).all():
        raise LostComponentError(
            f"a mixture of {len(totals)} components",
            "a component has lost all its points",
            "ask for fewer components",
        )
    middle = mean_of(points, members.sum(0))
    cloud = points - middle
    centres = (members / totals[:, None]) @ cloud
    spread = scatter(cloud, members, centres) / totals[:, None, None]
    axes, values = leading(spread, dimensions)
    floor = FLOOR * mean_of(cloud.square().sum(-1, keepdim=True), members.sum(0))[0] / points.shape[1]
    floor = floor.clamp_min(torch.finfo(points.dtype).tiny ** 0.5)
    total = spread.diagonal(dim1=-2, dim2=-1).sum(-1)
    noise = ((total - values.sum(-1)) / (points.shape[1] - dimensions)).clamp_min(0)
    noise = torch.maximum(noise, floor)
    return MPPCAModel(
        shares=totals / totals.sum(),
        centres=centres + middle,
        axes=axes,
        variances=torch.maximum(values, noise[:, None]),
        noise=noise,
        dimensions=dimensions,
        labels=members.argmax(0),
        log_likelihood=-math.inf,
        points=float(totals.sum()),
        sweeps=0,
    )


def _ordered(model: MPPCAModel) -> MPPCAModel:
    """The same mixture, the component with the largest share first."""
    order = model.shares.argsort(descending=True, stable=True)
    return replace(
        model,
        shares=model.shares[order],
        centres=model.centres[order],
        axes=model.axes[order],
        variances=model.variances[order],
        noise=model.noise[order],
        dimensions=model.dimensions[order],
        labels=order.argsort()[model.labels],
    )
