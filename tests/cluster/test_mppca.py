import math
from dataclasses import replace

import pytest
import torch

from motet.cluster import MPPCA, SESC, KMeans, adjusted_rand, mixture_of_labels
from motet.errors import ConfigError, ConvergenceError, TooFewPointsError


def lines(seed=0, each=120, dims=6):
    generator = torch.Generator().manual_seed(seed)
    points = 0.3 * torch.randn(3, each, dims, generator=generator, dtype=torch.float64)
    for cluster in range(3):
        points[cluster, :, cluster] += 4 * torch.randn(each, generator=generator, dtype=torch.float64)
        points[cluster, :, 3] += 3 * cluster
    return points.flatten(0, 1), torch.arange(3).repeat_interleave(each)


def test_crossing_lines_are_told_apart():
    points, truth = lines()
    model = MPPCA(3, dimension=1).fit(points)
    assert adjusted_rand(model.labels, truth) > 0.97
    assert model.shares.tolist() == pytest.approx([1 / 3] * 3, abs=0.02)
    assert model.noise.sqrt().tolist() == pytest.approx([0.3] * 3, rel=0.1)
    assert model.variances[:, 0].sqrt().tolist() == pytest.approx([4] * 3, rel=0.2)


def test_discs_are_found(discs):
    points, truth = discs(0, each=150)
    assert adjusted_rand(MPPCA(3, dimension=2).fit(points).labels, truth) > 0.9


def test_the_density_is_that_of_the_full_gaussians():
    points, _ = lines()
    model = MPPCA(3, dimension=1).fit(points)
    outer = model.axes * (model.variances - model.noise[:, None])[:, None] @ model.axes.mT
    covariances = outer + model.noise[:, None, None] * torch.eye(6, dtype=torch.float64)
    gaussians = torch.distributions.MultivariateNormal(model.centres, covariances)
    expected = gaussians.log_prob(points[:, None]) + model.shares.log()
    torch.testing.assert_close(model.joint(points), expected.mT)
    assert model.score(points) == pytest.approx(float(expected.logsumexp(-1).mean()))
    assert model.log_likelihood == pytest.approx(model.score(points))
    torch.testing.assert_close(model.responsibilities(points).sum(0), torch.ones(360, dtype=torch.float64))
    torch.testing.assert_close(model.predict(points), model.labels)


def test_one_component_of_almost_full_dimension_is_the_gaussian_of_the_cloud():
    points, _ = lines()
    covariance = points.mT.cov(correction=0)
    expected = torch.distributions.MultivariateNormal(points.mean(0), covariance).log_prob(points).mean()
    labels = torch.zeros(len(points), dtype=torch.long)
    assert mixture_of_labels(points, labels, torch.tensor([5])).log_likelihood == pytest.approx(float(expected))


def test_sweeps_never_lower_the_likelihood():
    points, _ = lines(1)
    start = mixture_of_labels(points, torch.arange(360) % 3, torch.tensor([1, 1, 1]))
    labels = MPPCA(3, dimension=1).fit(points)
    assert labels.log_likelihood > start.log_likelihood
    tight = MPPCA(3, dimension=1, tolerance=1e-9).fit(points)
    assert tight.log_likelihood >= labels.log_likelihood


def test_parameters_are_counted_as_for_a_free_gaussian():
    # Of dimension D - 1 a component is a full Gaussian: its covariance has D (D + 1) / 2 numbers.
    points, _ = lines()
    model = mixture_of_labels(points, torch.zeros(360, dtype=torch.long), torch.tensor([5]))
    assert model.parameters == 6 + 6 * 7 // 2
    assert model.bic == pytest.approx(-2 * 360 * model.log_likelihood + 27 * math.log(360))


def test_bic_finds_the_number_of_components():
    points, _ = lines()
    assert min(range(1, 6), key=lambda k: MPPCA(k, dimension=1, starts=10).fit(points).bic) == 3


def test_an_exact_flat_has_a_finite_density():
    points, _ = lines()
    points[:, 4:] = 0
    points[:, 3] = 0
    model = MPPCA(2, dimension=2).fit(points)
    assert math.isfinite(model.log_likelihood)
    assert (model.noise > 0).all()


def test_mistakes_are_refused():
    points, truth = lines()
    with pytest.raises(ConfigError):
        mixture_of_labels(points, truth, torch.tensor([6, 1, 1]))
    with pytest.raises(TooFewPointsError):
        mixture_of_labels(points, truth, torch.tensor([1, 1, 1, 1]))
    with pytest.raises(ConvergenceError, match="raise max_sweeps or tolerance"):
        MPPCA(3, dimension=1, tolerance=1e-12, max_sweeps=2).fit(points)


def basins_and_a_thief():
    """Tight basins in many dimensions, and labels that give one point of each to a fourth, wide component."""
    generator = torch.Generator().manual_seed(0)
    points = 0.1 * torch.randn(3, 60, 40, generator=generator, dtype=torch.float64)
    points[1, :, 0] += 10
    points[2, :, 1] += 10
    labels = torch.arange(3).repeat_interleave(60)
    labels[::60] = 3
    return points.flatten(0, 1), labels


def starting_from(monkeypatch, method, points, labels):
    model = method.fit(points)
    monkeypatch.setattr(type(method), "fit", lambda *_, **__: replace(model, labels=labels))


def test_a_start_that_loses_a_component_leaves_the_race(monkeypatch):
    points, stolen = basins_and_a_thief()
    starting_from(monkeypatch, KMeans(4, starts=2), points, stolen)
    found = MPPCA(4, dimension=1, starts=2).fit(points)
    assert (found.labels.bincount(minlength=4) > 0).all()
    assert math.isfinite(found.log_likelihood)


def test_a_mixture_without_a_start_that_holds_is_refused(monkeypatch):
    points, stolen = basins_and_a_thief()
    for method in (KMeans(4, starts=2), SESC(4, dimension=1, starts=2)):
        starting_from(monkeypatch, method, points, stolen)
    with pytest.raises(ConvergenceError, match="lost all its points"):
        MPPCA(4, dimension=1, starts=2).fit(points)
