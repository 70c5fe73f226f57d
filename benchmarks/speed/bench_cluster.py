"""Ten thousand conformations of 214 Cα on one core: the goal is under ten seconds for every method."""

import pytest
import torch

from motet.cluster import MPPCA, SESC, KMeans, SphericalCluster, adjusted_rand, silhouette

SIZES = [(1000, 60), pytest.param((10_000, 642), marks=pytest.mark.slow)]


def basins(points, dims, k=6, noise=0.35, dtype=torch.float32):
    """Six basins along a bent path, each a Gaussian in a subspace of 2 to 6 dimensions."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, k, (points,), generator=generator)
    path = torch.randn(2, dims, generator=generator)
    along = torch.linspace(-1, 1, k)
    centres = 1.5 * (along[:, None] * path[0] + along.square()[:, None] * path[1])
    cloud = centres[truth] + noise * torch.randn(points, dims, generator=generator)
    for label in range(k):
        axes = torch.linalg.qr(torch.randn(dims, 2 + label % 5, generator=generator)).Q
        inside = truth == label
        cloud[inside] += 5 * torch.randn(int(inside.sum()), axes.shape[1], generator=generator) @ axes.mT
    return cloud.to(dtype), truth


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "estimator", [KMeans(6), SESC(6), MPPCA(6)], ids=lambda estimator: type(estimator).__name__
)
def bench_fit(benchmark, estimator, size):
    cloud, truth = basins(*size)
    model = benchmark.pedantic(estimator.fit, args=(cloud,), rounds=1)
    benchmark.extra_info["adjusted_rand"] = adjusted_rand(model.labels, truth)


@pytest.mark.parametrize("size", [(500, 60), pytest.param((2600, 642), marks=pytest.mark.slow)], ids=str)
def bench_spherical_cluster(benchmark, size):
    cloud, _ = basins(*size, dtype=torch.float64)
    benchmark.pedantic(SphericalCluster(0.7).fit, args=(cloud,), rounds=1)


@pytest.mark.parametrize("size", SIZES, ids=str)
def bench_silhouette(benchmark, size):
    cloud, truth = basins(*size)
    benchmark.pedantic(silhouette, args=(cloud, truth), rounds=1)
