"""How many clusters a cloud has, where one is an honest answer."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, TooFewPointsError
from .kmeans import KMeans, KMeansModel
from .points import checked, mean_of, normal, seeded
from .silhouette import mean_silhouette, silhouette

WEAK = 0.25  # Kaufman and Rousseeuw (1990), table 4: up to here "no substantial structure has been found"


@dataclass(frozen=True, eq=False)
class Choice:
    """The number of clusters, why, and the clusters.

    Args:
        k: Number of clusters; 1 when nothing speaks for more.
        model: k-means with that number.
        silhouette: Mean silhouette of the model; None for one cluster, which has none.
        tried: Mean silhouette of each number that was tried.
        p_value: Share of single Gaussians, this cloud counted as one, that split at least as well; the first
            that does ends the test (Besag and Clifford 1991). 1 when the test was not reached.
        reason: Why this number, in words.
    """

    k: int
    model: KMeansModel
    silhouette: float | None
    tried: dict[int, float]
    p_value: float
    reason: str


def choose_k(
    points: Float[Tensor, "points dims"],
    ks: Iterable[int] = range(2, 11),
    *,
    weights: Float[Tensor, "points"] | None = None,
    starts: int = 10,
    threshold: float = WEAK,
    nulls: int = 19,
    sample: int = 1000,
    generator: torch.Generator | None = None,
) -> Choice:
    """The number of clusters with the best mean silhouette, or one.

    The answer is one cluster when the best silhouette is at most `threshold`, or when one of `nulls` draws from a
    single Gaussian with the covariance of the cloud splits at least as well: a Monte Carlo test at level
    1 / (nulls + 1), the idea of SigClust (Liu et al. 2008) with the silhouette as statistic. A Gaussian is the
    only null: a curved or evenly filled path is not one, and may be cut into pieces. Noise in hundreds of
    dimensions draws every silhouette to 0 and so the answer to one: give the leading principal components.

    Args:
        points: The cloud.
        ks: Numbers to try; those of half of the points and more are left out.
        weights: Weight of each point.
        starts: Starts of each k-means.
        threshold: Mean silhouette above which clusters are believed.
        nulls: Gaussian clouds to compare with; 0 leaves the test out.
        sample: Silhouettes are measured on so many points at most, drawn at random, and a null has so many.
        generator: Source of random numbers; none: a new one with seed 0.

    Raises:
        ConfigError: A number is under 2, or a setting is out of range.
    """
    numbers = _numbers(ks, nulls, sample)
    masses = checked(points, weights)
    source = seeded(generator)
    numbers = [k for k in numbers if k <= int((masses > 0).sum()) // 2]
    cloud, spread = _principal(points, masses)
    found = _tried(cloud, masses, numbers, starts, sample, source)
    tried = {k: value for k, (_, value) in found.items()}
    if not tried:
        return _single(points, masses, tried, 1.0, "there are too few distinct points to split")
    best = max(tried, key=lambda k: tried[k])
    if tried[best] <= threshold:
        reason = f"the best silhouette, {tried[best]:.2f} for {best}, is at most {threshold:g}"
        return _single(points, masses, tried, 1.0, reason)
    for drawn in range(1, nulls + 1):
        if _null(spread, min(points.shape[0], sample), numbers, starts, source) >= tried[best]:
            reason = f"a single Gaussian of the same covariance splits as well as {tried[best]:.2f} for {best}"
            return _single(points, masses, tried, 2 / (1 + drawn), reason)
    model = _carried(points, masses, found[best][0])
    return Choice(best, model, tried[best], tried, 1 / (1 + nulls), f"{best} clusters have the best silhouette")


def _numbers(ks: Iterable[int], nulls: int, sample: int) -> list[int]:
    numbers = sorted(set(ks))
    if not numbers or numbers[0] < 2:
        raise ConfigError(f"ks={numbers} must be numbers of clusters from 2; one cluster is always considered.")
    if nulls < 0 or sample < 4:
        raise ConfigError(f"nulls={nulls} must be at least 0 and sample={sample} at least 4.")
    return numbers


def _principal(
    points: Float[Tensor, "points dims"], masses: Float[Tensor, "points"]
) -> tuple[Float[Tensor, "points axes"], Float[Tensor, "axes"]]:
    """The cloud turned to its principal axes, as many as it spans, and the standard deviation along each.

    No distance changes, but a thousand dimensions of a hundred points become a hundred.
    """
    share = masses / masses.sum()
    cloud = points - mean_of(points, masses)
    if points.shape[1] <= points.shape[0]:
        cloud = cloud @ torch.linalg.eigh(cloud.mT @ (cloud * share[:, None])).eigenvectors
    else:
        basis = torch.linalg.qr(cloud.mT).Q
        cloud = cloud @ basis
        cloud = cloud @ torch.linalg.eigh(cloud.mT @ (cloud * share[:, None])).eigenvectors
    return cloud, (share @ cloud.square()).sqrt()


def _tried(
    cloud: Tensor, masses: Tensor, numbers: list[int], starts: int, sample: int, source: torch.Generator
) -> dict[int, tuple[KMeansModel, float]]:
    """k-means and its mean silhouette for each number, as far as the distinct points reach."""
    found: dict[int, tuple[KMeansModel, float]] = {}
    chosen = torch.arange(cloud.shape[0], device=cloud.device)
    if cloud.shape[0] > sample:
        order = torch.randperm(cloud.shape[0], generator=source, device=source.device)
        chosen = order[:sample].to(cloud.device)
    for k in numbers:
        try:
            model = KMeans(k, starts=starts).fit(cloud, weights=masses, generator=source)
        except TooFewPointsError:
            break
        values = silhouette(cloud[chosen], model.labels[chosen], masses[chosen])
        found[k] = model, mean_silhouette(values, masses[chosen])
    return found


def _null(spread: Tensor, size: int, numbers: list[int], starts: int, source: torch.Generator) -> float:
    """Best silhouette of one cloud drawn from the Gaussian with these standard deviations."""
    cloud = normal((size, spread.shape[0]), source, spread) * spread
    even = torch.ones_like(cloud[:, 0])
    found = _tried(cloud, even, [k for k in numbers if k <= size // 2], starts, size, source)
    return max((value for _, value in found.values()), default=0.0)


def _single(points: Tensor, masses: Tensor, tried: dict[int, float], p_value: float, reason: str) -> Choice:
    model = KMeans(1, starts=1).fit(points, weights=masses)
    return Choice(1, model, None, tried, p_value, reason)


def _carried(points: Tensor, masses: Tensor, model: KMeansModel) -> KMeansModel:
    """The model of the turned cloud with its centres in the frame of the points."""
    members: Int[Tensor, "points clusters"] = torch.nn.functional.one_hot(model.labels, len(model.centres))
    share = members * masses[:, None]
    return KMeansModel((share / share.sum(0)).mT @ points, model.labels, model.cost, model.sweeps)
