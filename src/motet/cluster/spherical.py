"""The spherical cluster: a centre that only the points outside its sphere pull.

Our reading of Cazals, Commaret and Goldenberg (arXiv 2512.21960): with sigma^2(c) the mean squared distance to c,
F(c) = sum_i max(0, |x_i - c|^2 - eta^2 sigma^2(c)), strictly convex for 0 <= eta < 1.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigError, ConvergenceError
from .points import checked, mean_of, squared_distances

SOFTENINGS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # of the variance: F is smoothed less and less


@dataclass(frozen=True, eq=False)
class SphericalClusterModel:
    """The best centre, and the proof of how good it is.

    Args:
        centre: Where F is least.
        radius: eta sigma(centre).
        inside: Whether each point lies in the sphere, where it pulls nothing.
        cost: F at the centre.
        bound: A dual lower bound of F: no centre costs less.
        eta: The eta that was asked for.
    """

    centre: Float[Tensor, "dims"]
    radius: float
    inside: Bool[Tensor, "points"]
    cost: float
    bound: float
    eta: float

    @property
    def gap(self) -> float:
        """How much of the cost could at most be saved by a better centre, as a share of it."""
        return (self.cost - self.bound) / self.cost if self.cost > 0 else 0.0

    def predict(self, points: Float[Tensor, "new dims"]) -> Bool[Tensor, "new"]:
        """Whether each point lies in the sphere."""
        return (points - self.centre).square().sum(-1) <= self.radius**2

    def score(self, points: Float[Tensor, "new dims"], weights: Float[Tensor, "new"] | None = None) -> float:
        """Minus the mean power distance to the sphere, 0 inside: higher is better."""
        masses = checked(points, weights)
        power = ((points - self.centre).square().sum(-1) - self.radius**2).clamp_min(0)
        return -float(mean_of(power[:, None], masses))


@dataclass(frozen=True)
class SphericalCluster:
    """Quasi-Newton steps on F smoothed less and less, then the gap to a dual bound as certificate.

    Args:
        eta: Radius of the sphere over the standard deviation of the distances, in [0, 1); at 0 the centre is the
            mean, towards 1 it becomes a median of high dimension.
        tolerance: Largest gap to the dual bound, as a share of the cost.
    """

    eta: float
    tolerance: float = field(default=1e-4, kw_only=True)

    def __post_init__(self) -> None:
        if not 0 <= self.eta < 1 or not self.tolerance > 0:
            raise ConfigError(
                f"eta={self.eta} must be at least 0 and below 1, and tolerance={self.tolerance} above 0."
            )

    def fit(
        self, points: Float[Tensor, "points dims"], *, weights: Float[Tensor, "points"] | None = None
    ) -> SphericalClusterModel:
        """The centre of least cost.

        Raises:
            ConvergenceError: The certificate leaves a gap above `tolerance`.
        """
        masses = checked(points, weights)
        middle = mean_of(points, masses)
        cloud = points - middle
        variance = float(mean_of(cloud.square().sum(-1, keepdim=True), masses))
        centre, best, bound = torch.zeros_like(middle), torch.inf, -torch.inf
        if variance == 0:
            inside = torch.ones_like(masses, dtype=torch.bool)
            return SphericalClusterModel(middle, 0.0, inside, 0.0, 0.0, self.eta)
        unit = variance**0.5
        cloud = cloud / unit  # in units of the spread, so that steps and tolerances have one size
        where = centre
        for softening in SOFTENINGS if self.eta > 0 else ():
            where = _descended(cloud, masses, where, self.eta, softening)
            cost, lower = _certificate(cloud, masses, where, self.eta, softening)
            bound = max(bound, lower)
            if cost < best:
                best, centre = cost, where
            if best - bound <= self.tolerance * best:
                break
        if self.eta == 0:
            best = bound = float((masses * cloud.square().sum(-1)).sum())
        if best - bound > self.tolerance * best:
            raise ConvergenceError(
                f"the spherical cluster with eta={self.eta}",
                f"its cost is up to {(best - bound) / best:.1e} above the least",
                "raise tolerance, or give the points in float64",
            )
        return self._model(points, middle, centre * unit, variance, best, bound)

    def _model(
        self, points: Tensor, middle: Tensor, shift: Tensor, variance: float, cost: float, bound: float
    ) -> SphericalClusterModel:
        radius = self.eta * (variance + float(shift.square().sum())) ** 0.5
        inside = (points - middle - shift).square().sum(-1) <= radius**2
        return SphericalClusterModel(middle + shift, radius, inside, cost * variance, bound * variance, self.eta)


def _excess(cloud: Tensor, centre: Tensor, eta: float) -> Float[Tensor, "points"]:
    """g_i(c) for a cloud of mean 0 and variance 1."""
    squares = squared_distances(cloud, centre[None])[0]
    return squares - eta**2 * (1 + centre.square().sum())


def _descended(
    cloud: Tensor, masses: Tensor, start: Tensor, eta: float, softening: float
) -> Float[Tensor, "dims"]:
    """The centre of least smoothed cost, sum of softening log(1 + exp(g / softening))."""
    centre = start.detach().clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [centre],
        max_iter=200,
        history_size=20,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )
    shares = masses / masses.sum()

    def closure() -> Tensor:
        with torch.enable_grad():
            optimiser.zero_grad()
            smooth = torch.nn.functional.softplus(_excess(cloud, centre, eta) / softening) * softening
            cost = (shares * smooth).sum()
            cost.backward()
        return cost

    optimiser.step(closure)  # pyright: ignore[reportArgumentType]
    return centre.detach()


def _certificate(
    cloud: Tensor, masses: Tensor, centre: Tensor, eta: float, softening: float
) -> tuple[float, float]:
    """F at the centre, and the dual bound sum_i lambda_i g_i(c(lambda)), lambda the slopes of the smoothing."""
    excess = _excess(cloud, centre, eta)
    cost = float((masses * excess.clamp_min(0)).sum())
    slopes = masses * torch.sigmoid(excess / softening)
    total = slopes.sum()
    if total <= 0:
        return cost, 0.0
    best = (slopes @ cloud) / (total * (1 - eta**2))  # the mean of the cloud is 0
    return cost, float((slopes * _excess(cloud, best, eta)).sum())
