"""Subspace-embedded spherical clusters: compact and flat at once, each with its own dimension.

Our formulation, from the title and the lineage of Cazals, Goldenberg and Suren (2024): the docs say so, too.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, ConvergenceError, TooFewPointsError
from .flats import Flats, fitted
from .labels import heaviest_first, memberships
from .points import checked, mean_of, seeded, squared_distances
from .seeding import seeds
from .subspace import cattell, leading, scatter

PATIENCE = 3  # sweeps without a lower cost after which a start has found its minimum


@dataclass(frozen=True, eq=False)
class SESCModel:
    """Balls in affine subspaces.

    Args:
        centres: Mean of each cluster, the heaviest cluster first.
        axes: Orthonormal columns of each cluster's subspace, widest first; zero columns beyond its dimension.
        variances: Variance of the cluster along each of its axes; 0 beyond its dimension.
        radii: Radius of each ball.
        dimensions: Dimension of each subspace.
        labels: Cluster of each point that was fitted.
        cost: Sum over the points of weight times f.
        sweeps: Sweeps that the last round took to converge.
    """

    centres: Float[Tensor, "clusters dims"]
    axes: Float[Tensor, "clusters dims axes"]
    variances: Float[Tensor, "clusters axes"]
    radii: Float[Tensor, "clusters"]
    dimensions: Int[Tensor, "clusters"]
    labels: Int[Tensor, "points"]
    cost: float
    sweeps: int

    def costs(self, points: Float[Tensor, "new dims"]) -> Float[Tensor, "clusters new"]:
        """f of each point for each cluster: squared distance off the subspace and outside the ball."""
        middle = self.centres.mean(0)
        flats = Flats((self.centres - middle)[None], self.axes[None], self.radii.square()[None])
        return flats.costs(points - middle)[0]

    def predict(self, points: Float[Tensor, "new dims"]) -> Int[Tensor, "new"]:
        """The cluster in which each point costs least."""
        return self.costs(points).argmin(0)

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Minus the mean cost: higher is better, for one and the same k, dimensions and eta."""
        masses = checked(points, weights)
        return -float(mean_of(self.costs(points).amin(0)[:, None], masses))


@dataclass(frozen=True)
class SESC:
    """Alternates labels and balls from k-means++ seeds on its own cost; the cheapest start wins.

    f(x) = |x - c|^2 - min(|U^T (x - c)|^2, r^2). With eta = 0 this is k-means, with eta infinite projective
    clustering. A large or wide cloud is screened: all starts run on a sample in the leading principal components,
    and the best is finished on all points in all dimensions.

    Args:
        k: Number of clusters.
        dimension: Dimension of every subspace; None: found for each cluster by Cattell's scree test.
        eta: Radius of the ball over the root mean square distance within the subspace; None: sqrt((d + 2) / d),
            which gives the true radius of a uniform d-ball.
        starts: Independent starts.
        max_dimension: Largest dimension that the scree test may choose.
        screen: Points, and principal components, that the starts see.
        max_sweeps: Sweeps after which a start that still improves is an error.
    """

    k: int
    dimension: int | None = field(default=None, kw_only=True)
    eta: float | None = field(default=None, kw_only=True)
    starts: int = field(default=40, kw_only=True)
    max_dimension: int = field(default=10, kw_only=True)
    screen: tuple[int, int] = field(default=(2000, 32), kw_only=True)
    max_sweeps: int = field(default=300, kw_only=True)

    def __post_init__(self) -> None:
        if min(self.k, self.starts, self.max_sweeps, self.max_dimension, *self.screen) < 1:
            raise ConfigError("k, starts, max_dimension, screen and max_sweeps of SESC must be at least 1.")
        if self.dimension is not None and self.dimension < 0:
            raise ConfigError(f"dimension={self.dimension} must be at least 0, or None to have it found.")
        if self.eta is not None and not self.eta >= 0:
            raise ConfigError(f"eta={self.eta} must be at least 0; 1.2 to 1.5 suits balls of few dimensions.")

    def fit(
        self,
        points: Float[Tensor, "points dims"],
        *,
        weights: Float[Tensor, "points"] | None = None,
        generator: torch.Generator | None = None,
    ) -> SESCModel:
        """The best of all starts; `generator` draws seeds and sample (none: a new one with seed 0).

        Raises:
            ConfigError: The dimension is not below that of the points.
            TooFewPointsError: There are too few distinct points for k clusters of that dimension.
            ConvergenceError: A start still improves after `max_sweeps`.
        """
        masses = checked(points, weights)
        if self.dimension is not None and self.dimension >= points.shape[1]:
            raise ConfigError(f"dimension={self.dimension} must be below the {points.shape[1]} of the points.")
        middle = mean_of(points, masses)
        cloud = points - middle
        labels, dimensions = self._started(cloud, masses, seeded(generator))
        flats, labels, cost, sweeps, dimensions = self._finished(cloud, masses, labels, dimensions)
        labels, order = heaviest_first(labels, masses, self.k)
        flats, dimensions = (
            Flats(*(part[:, order] for part in (flats.centres, flats.axes, flats.radii))),
            dimensions[order],
        )
        return _model(cloud, masses, middle, flats, labels, dimensions, cost, sweeps)

    def _started(self, cloud: Tensor, masses: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Labels of the best start, all starts having one dimension, and that dimension for each cluster."""
        seen, seen_masses, view = self._screened(cloud, masses, generator)
        d = self.dimension if self.dimension is not None else _local_dimension(seen, self._most(seen), generator)
        d = min(d, seen.shape[1] - 1)
        dimensions = torch.full((self.k,), d, device=cloud.device)
        if seen.shape[0] < self.k * (d + 1):
            raise TooFewPointsError(self.k, seen.shape[0] // (d + 1))
        flats = self._seeds(seen, seen_masses, d, generator)
        flats, _, costs, _ = _alternate(
            seen, seen_masses, flats, dimensions, self._etas(dimensions, seen), self.max_sweeps
        )
        best = flats[costs.argmin()[None]]
        whole = self.dimension if self.dimension is not None else d
        return best.costs(view)[0].argmin(0), torch.full_like(dimensions, whole)

    def _screened(
        self, cloud: Tensor, masses: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The sample that the starts see, its weights, and the whole cloud in the same components."""
        size, components = self.screen
        view = cloud
        if cloud.shape[1] > components:
            spread = scatter(cloud, masses[None], torch.zeros_like(cloud[:1]))
            axes, _ = leading(spread, torch.tensor([components], device=cloud.device))
            view = cloud @ axes[0]
        if cloud.shape[0] <= size:
            return view, masses, view
        order = torch.randperm(cloud.shape[0], generator=generator, device=generator.device)
        chosen = order[:size].to(cloud.device)
        return view[chosen], masses[chosen], view

    def _seeds(self, cloud: Tensor, masses: Tensor, d: int, generator: torch.Generator) -> Flats:
        """Balls about points drawn by the cost that the balls before leave."""
        dimensions = torch.tensor([d], device=cloud.device)
        etas = self._etas(dimensions, cloud)

        def about(draws: Tensor) -> Flats:
            return _neighbourhoods(cloud, masses, draws, dimensions, etas)

        scale = float(cloud.square().sum(-1).amax())
        tiny = 4 * torch.finfo(cloud.dtype).eps * cloud.shape[1] ** 0.5 * scale
        chosen = seeds(lambda draws: about(draws).costs(cloud), masses, self.k, self.starts, generator, tiny)
        return about(chosen)

    def _finished(
        self, cloud: Tensor, masses: Tensor, labels: Tensor, dimensions: Tensor
    ) -> tuple[Flats, Tensor, float, int, Tensor]:
        """The start carried on in all points and dimensions, until each cluster keeps its own dimension."""
        known: list[list[int]] = []
        while True:
            known.append(dimensions.tolist())
            etas = self._etas(dimensions, cloud)
            flats = _from_labels(cloud, masses, labels, dimensions, etas)
            flats, found, costs, sweeps = _alternate(cloud, masses, flats, dimensions, etas, self.max_sweeps)
            labels = found[0]
            chosen = dimensions if self.dimension is not None else self._scree(cloud, masses, flats, labels)
            if chosen.tolist() in known:
                # Unchanged, or the test has come back to an earlier answer: it then has no better one.
                return flats, labels, float(costs[0]), int(sweeps[0]), dimensions
            dimensions = chosen

    def _scree(self, cloud: Tensor, masses: Tensor, flats: Flats, labels: Tensor) -> Int[Tensor, "clusters"]:
        members = memberships(labels, masses, self.k)
        values = torch.linalg.eigvalsh(scatter(cloud, members, flats.centres[0])).flip(-1)
        counts = (members > 0).sum(-1)
        return torch.minimum(cattell(values, self._most(cloud)), (counts - 1).clamp_min(0))

    def _most(self, cloud: Tensor) -> int:
        return max(1, min(self.max_dimension, cloud.shape[1] - 1))

    def _etas(self, dimensions: Tensor, cloud: Tensor) -> Float[Tensor, "clusters"]:
        if self.eta is not None:
            return torch.full_like(dimensions, self.eta, dtype=cloud.dtype)
        d = dimensions.to(cloud).clamp_min(1)
        return ((d + 2) / d).sqrt()


def _local_dimension(cloud: Tensor, most: int, generator: torch.Generator) -> int:
    """Median scree-test dimension of the neighbourhoods of a hundred points."""
    draws = torch.randperm(cloud.shape[0], generator=generator, device=generator.device)[:100].to(cloud.device)
    near = squared_distances(cloud, cloud[draws]).topk(min(5 * most, cloud.shape[0]), largest=False).indices
    rows = cloud[near] - cloud[near].mean(1, keepdim=True)
    values = torch.linalg.eigvalsh(rows.mT @ rows).flip(-1)
    return max(1, int(cattell(values, most).median()))


def _neighbourhoods(cloud: Tensor, masses: Tensor, draws: Tensor, dimensions: Tensor, etas: Tensor) -> Flats:
    """A ball about each drawn point, from its nearest neighbours: five for each dimension."""
    size = min(max(5 * int(dimensions[0]), 2), cloud.shape[0])
    nearest = squared_distances(cloud, cloud[draws]).topk(size, largest=False).indices
    rows = cloud[nearest]
    centres = rows.mean(-2)
    rows = (rows - centres[..., None, :]).flatten(0, 1)
    axes, values = leading(rows.mT @ rows, dimensions.expand(rows.shape[0]))
    mean = values.sum(-1) / size
    radii = torch.where(etas.isinf(), torch.inf, etas.nan_to_num(posinf=0.0).square() * mean)
    shape = draws.shape
    return Flats(centres, axes.unflatten(0, shape), radii.unflatten(0, shape))


def _from_labels(cloud: Tensor, masses: Tensor, labels: Tensor, dimensions: Tensor, etas: Tensor) -> Flats:
    """Balls for given labels, from the principal axes of each cluster."""
    members = memberships(labels, masses, dimensions.shape[0])
    totals = members.sum(-1, keepdim=True)
    centres = (members / torch.where(totals > 0, totals, 1.0)) @ cloud
    axes, _ = leading(scatter(cloud, members, centres), dimensions)
    start = Flats(centres[None], axes[None], torch.zeros_like(centres[None, :, 0]))
    return fitted(cloud, masses, labels[None], start, dimensions, etas)[0]


def _alternate(
    cloud: Tensor, masses: Tensor, flats: Flats, dimensions: Tensor, etas: Tensor, max_sweeps: int
) -> tuple[Flats, Tensor, Tensor, Tensor]:
    """The best balls, labels and cost of each start, and its sweeps; a start that has converged rests."""
    starts = flats.centres.shape[0]
    best, flats = flats.clone(), flats.clone()
    labels = torch.full((starts, cloud.shape[0]), -1, device=cloud.device)
    best_labels, costs = labels.clone(), cloud.new_full((starts,), torch.inf)
    sweeps, stale = torch.zeros_like(labels[:, 0]), torch.zeros_like(labels[:, 0])
    moving = torch.arange(starts, device=cloud.device)
    for _ in range(max_sweeps):
        nearest = _reseeded(cloud, masses, flats[moving].costs(cloud), dimensions)
        update, cost = fitted(cloud, masses, nearest, flats[moving], dimensions, etas)
        flats.put(moving, update)
        better = cost < costs[moving]
        won = moving[better]
        best.put(won, update[better])
        costs[won], best_labels[won] = cost[better], nearest[better]
        stale[moving] = torch.where(better, 0, stale[moving] + 1)
        changed = (nearest != labels[moving]).any(-1)
        labels[moving] = nearest
        sweeps[moving] += 1
        moving = moving[changed & (stale[moving] < PATIENCE)]
        if moving.numel() == 0:
            return best, best_labels, costs, sweeps
    raise ConvergenceError(
        f"SESC with k={dimensions.shape[0]}",
        f"{moving.numel()} of {starts} starts still improve after {max_sweeps} sweeps",
        "raise max_sweeps",
    )


def _reseeded(cloud: Tensor, masses: Tensor, costs: Tensor, dimensions: Tensor) -> Int[Tensor, "starts points"]:
    """Labels of least cost; a cluster with too few points for its dimension restarts at the worst-served point."""
    served, labels = costs.min(dim=1)
    counts = (memberships(labels, masses, dimensions.shape[0]) > 0).sum(-1)
    for start, starved in (counts <= dimensions).nonzero().tolist():
        worst = (masses * served[start]).argmax()
        size = min(max(5 * int(dimensions[starved]), 2), cloud.shape[0])
        near = squared_distances(cloud, cloud[worst][None])[0].topk(size, largest=False).indices
        labels[start, near] = starved
        served[start, near] = 0
    return labels


def _model(
    cloud: Tensor,
    masses: Tensor,
    middle: Tensor,
    flats: Flats,
    labels: Tensor,
    dimensions: Tensor,
    cost: float,
    sweeps: int,
) -> SESCModel:
    """The model in the frame of the points, with the variance along each axis."""
    members = memberships(labels, masses, dimensions.shape[0])
    shares = members / members.sum(-1, keepdim=True)
    centres, axes = flats.centres[0], flats.axes[0]
    along = (cloud @ axes - centres[:, None] @ axes).square()
    variances = (shares[..., None] * along).sum(1)
    order = variances.argsort(dim=-1, descending=True, stable=True)
    axes = axes.gather(-1, order[:, None].expand_as(axes))
    return SESCModel(
        centres + middle,
        axes,
        variances.gather(-1, order),
        flats.radii[0].sqrt(),
        dimensions,
        labels,
        cost,
        sweeps,
    )
