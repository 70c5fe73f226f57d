import pytest
import torch

from motet.cluster import SphericalCluster
from motet.errors import ConfigError, ConvergenceError


def cloud(n=200, dims=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(n, dims, generator=generator, dtype=torch.float64)
    points[: n // 10] += 6
    return points


def cost(points, centre, eta):
    squares = (points - centre).square().sum(-1)
    return float((squares - eta**2 * squares.mean()).clamp_min(0).sum())


def test_at_eta_zero_the_centre_is_the_mean():
    points = cloud()
    model = SphericalCluster(0.0).fit(points)
    torch.testing.assert_close(model.centre, points.mean(0))
    assert model.cost == pytest.approx(cost(points, points.mean(0), 0))
    assert model.gap == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("eta", [0.3, 0.7, 0.95])
def test_no_centre_near_or_far_is_cheaper_than_the_bound(eta):
    points = cloud()
    model = SphericalCluster(eta).fit(points)
    assert model.cost == pytest.approx(cost(points, model.centre, eta))
    assert 0 <= model.gap <= 1e-4
    generator = torch.Generator().manual_seed(1)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for step in torch.randn(20, 4, generator=generator, dtype=torch.float64):
            assert cost(points, model.centre + size * step, eta) >= model.bound * (1 - 1e-12)


def test_the_least_cost_agrees_with_a_simplex_search():
    from scipy.optimize import minimize

    points = cloud(60, 2)
    found = minimize(
        lambda centre: cost(points, torch.from_numpy(centre), 0.7),
        points.mean(0).numpy(),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000},
    )
    model = SphericalCluster(0.7).fit(points)
    assert model.cost == pytest.approx(found.fun, rel=1e-4)
    torch.testing.assert_close(model.centre, torch.from_numpy(found.x), atol=1e-2, rtol=0)


def test_a_rigid_motion_moves_the_centre_with_the_points():
    points = cloud(dims=3)
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64))
    here = SphericalCluster(0.7).fit(points)
    there = SphericalCluster(0.7).fit(points @ turn + 9)
    torch.testing.assert_close(there.centre, here.centre @ turn + 9, atol=1e-3, rtol=0)
    assert there.cost == pytest.approx(here.cost, rel=1e-4)


def test_inliers_pull_nothing_and_an_outlier_does():
    points = cloud()
    model = SphericalCluster(0.7).fit(points)
    squares = (points - model.centre).square().sum(-1)
    torch.testing.assert_close(model.inside, squares <= 0.49 * squares.mean())
    torch.testing.assert_close(model.predict(points), model.inside)
    far = torch.cat([points, torch.full((1, 4), 60.0, dtype=torch.float64)])
    pull = SphericalCluster(0.7).fit(far).centre - model.centre
    assert (pull > 0).all()


def test_weights_count_as_copies():
    points = cloud(60)
    weights = torch.randint(1, 4, (60,), generator=torch.Generator().manual_seed(2))
    weighted = SphericalCluster(0.6).fit(points, weights=weights.double())
    repeated = SphericalCluster(0.6).fit(points.repeat_interleave(weights, 0))
    assert weighted.cost == pytest.approx(repeated.cost, rel=1e-4)


def test_equal_points_cost_nothing():
    model = SphericalCluster(0.5).fit(torch.full((4, 3), 2.5))
    assert model.cost == 0
    assert model.gap == 0
    assert model.inside.all()


def test_mistakes_are_refused():
    for eta in (-0.1, 1.0, float("nan")):
        with pytest.raises(ConfigError):
            SphericalCluster(eta)
    with pytest.raises(ConvergenceError):
        SphericalCluster(0.7, tolerance=1e-15).fit(cloud())
