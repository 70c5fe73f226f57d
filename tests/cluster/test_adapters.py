import sys

import pytest
import torch

from motet.cluster import HDBSCAN, GaussianMixture, adjusted_rand
from motet.errors import ConfigError, ConvergenceError, MissingExtraError, TooFewPointsError

pytest.importorskip("sklearn", reason="scikit-learn is the extra `analysis`")


def moons_and_noise(seed=0):
    """Two half circles and a few strays: nothing that a centre describes."""
    generator = torch.Generator().manual_seed(seed)
    angle = torch.pi * torch.rand(2, 150, generator=generator, dtype=torch.float64)
    upper = torch.stack([angle[0].cos(), angle[0].sin()], -1)
    lower = torch.stack([1 - angle[1].cos(), 0.5 - angle[1].sin()], -1)
    strays = torch.tensor([[4.0, 4], [-4, 4], [4, -4]], dtype=torch.float64)
    points = torch.cat([upper, lower]) + 0.03 * torch.randn(300, 2, generator=generator, dtype=torch.float64)
    return torch.cat([points, strays]), torch.arange(2).repeat_interleave(150)


def blobs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(3, 80, 5, generator=generator, dtype=torch.float64)
    points[..., 0] += 9 * torch.arange(3)[:, None]
    return points.flatten(0, 1), torch.arange(3).repeat_interleave(80)


def test_hdbscan_follows_shapes_and_leaves_strays_out():
    points, truth = moons_and_noise()
    model = HDBSCAN(20).fit(points)
    clustered = model.labels[:300] >= 0
    assert clustered.float().mean() > 0.95
    assert adjusted_rand(model.labels[:300][clustered], truth[clustered]) == 1
    assert model.labels[300:].tolist() == [-1, -1, -1]
    assert not model.probabilities[300:].any()
    torch.testing.assert_close(model.predict(points)[:300][clustered], model.labels[:300][clustered])
    assert model.predict(points[300:]).tolist() == [-1, -1, -1]
    for label in (0, 1):
        torch.testing.assert_close(model.centres[label], points[model.labels == label].mean(0))


def test_hdbscan_may_find_nothing():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(12, 2, generator=generator)
    model = HDBSCAN(10).fit(points)
    assert model.labels.tolist() == [-1] * 12
    assert model.predict(points).tolist() == [-1] * 12
    assert model.centres.shape == (0, 2)
    assert model.score(points) == 0


def test_gaussian_mixture_finds_blobs_and_its_density_is_scikit_learns():
    from sklearn.mixture import GaussianMixture as Reference

    points, truth = blobs()
    model = GaussianMixture(3).fit(points)
    assert adjusted_rand(model.labels, truth) == 1
    reference = Reference(3, n_init=5, random_state=0, tol=1e-4).fit(points.numpy())
    assert model.score(points) == pytest.approx(reference.score(points.numpy()), abs=1e-3)
    torch.testing.assert_close(model.predict(points), model.labels)


def test_gaussian_mixture_works_in_principal_components():
    points, truth = blobs()
    wide = torch.cat([points, torch.zeros(240, 50, dtype=torch.float64)], -1)
    model = GaussianMixture(3, components=2).fit(wide)
    assert model.axes.shape == (55, 2)
    assert adjusted_rand(model.labels, truth) == 1


def test_the_same_seed_gives_the_same_bytes():
    points, _ = blobs()
    one, two = (GaussianMixture(3).fit(points, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one.centres, two.centres)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(MissingExtraError, match=r"motet\[analysis\]"):
        HDBSCAN(5).fit(blobs()[0])


def test_importing_the_floor_loads_no_scikit_learn():
    import subprocess

    code = "import sys, motet.cluster; sys.exit(any(name.startswith('sklearn') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_mistakes_are_refused():
    points, _ = blobs()
    with pytest.raises(ConfigError, match="cannot weigh"):
        HDBSCAN(5).fit(points, weights=torch.ones(240, dtype=torch.float64))
    with pytest.raises(ConfigError, match="cannot weigh"):
        GaussianMixture(2).fit(points, weights=torch.ones(240, dtype=torch.float64))
    with pytest.raises(TooFewPointsError):
        HDBSCAN(5).fit(points[:3])
    with pytest.raises(ConvergenceError, match="raise max_sweeps"):
        GaussianMixture(8, max_sweeps=1, starts=1).fit(points)
    with pytest.raises(ConfigError):
        HDBSCAN(1)
