"""Dense regions: the clusters of HDBSCAN, noise that is called noise, and nothing where nothing splits."""

import pytest
import torch

from motet.cluster import HDBSCAN, Clustering, ClusterModel, DensityClusters, adjusted_rand
from motet.errors import ConfigError, TooFewPointsError


@pytest.fixture
def islands():
    """Three blobs of 60, 40 and 25 points, and 30 points strewn about them: points, truth."""
    generator = torch.Generator().manual_seed(4)
    centres = torch.tensor([[0.0, 0, 0], [9, 0, 0], [0, 9, 4]], dtype=torch.float64)
    truth = torch.arange(3).repeat_interleave(torch.tensor([60, 40, 25]))
    blobs = centres[truth] + 0.5 * torch.randn(125, 3, generator=generator, dtype=torch.float64)
    strewn = 40 * torch.rand(30, 3, generator=generator, dtype=torch.float64) - 20
    return torch.cat((blobs, strewn)), torch.cat((truth, torch.full((30,), -1)))


def test_islands_are_found_largest_first(islands):
    points, truth = islands
    model = DensityClusters(10).fit(points)
    assert isinstance(model, ClusterModel)
    assert isinstance(DensityClusters(10), Clustering)
    inside = truth >= 0
    assert (model.labels[inside] == truth[inside]).double().mean() > 0.97
    assert (model.labels[~inside] == -1).double().mean() > 0.8


@pytest.mark.parametrize("settings", [(10, None), (10, 3), (25, 5), (5, 1)])
@pytest.mark.parametrize("cloud", ["islands", "moons", "gaussian"])
def test_labels_and_firmness_are_those_of_scikit_learn(islands, cloud, settings):
    pytest.importorskip("sklearn")
    generator = torch.Generator().manual_seed(8)
    angle = torch.pi * torch.rand(300, generator=generator, dtype=torch.float64)
    moons = torch.stack((angle.cos(), angle.sin()), -1)
    moons[150:] = torch.tensor([1.0, 0.5], dtype=torch.float64) - moons[150:]
    moons += 0.05 * torch.randn(300, 2, generator=generator, dtype=torch.float64)
    gaussian = torch.randn(200, 4, generator=generator, dtype=torch.float64)
    points = {"islands": islands[0], "moons": moons, "gaussian": gaussian}[cloud]
    size, samples = settings
    ours = DensityClusters(size, min_samples=samples).fit(points)
    theirs = HDBSCAN(size, min_samples=samples).fit(points)
    # Mutual reachability has ties, which may be broken otherwise: a point at an edge can differ.
    assert adjusted_rand(ours.labels, theirs.labels) > 0.97
    same = ours.labels == theirs.labels
    assert same.double().mean() > 0.98
    close = (ours.probabilities - theirs.probabilities).abs() < 1e-6
    assert close[same].double().mean() > 0.9


def test_the_model_stands_alone(islands):
    points, _ = islands
    model = DensityClusters(10).fit(points)
    inside = model.labels >= 0
    assert torch.equal(model.predict(points)[inside], model.labels[inside])
    assert (model.predict(points[:1] + 100) == -1).all()


def test_coincident_points_are_a_cluster_and_finite():
    points = torch.cat((torch.zeros(20, 2), torch.ones(15, 2)))
    model = DensityClusters(5).fit(points)
    assert torch.bincount(model.labels).tolist() == [20, 15]
    assert model.probabilities.isfinite().all()


def test_what_it_cannot_do_is_said():
    with pytest.raises(TooFewPointsError):
        DensityClusters(5).fit(torch.zeros(4, 2))
    with pytest.raises(ConfigError, match="weigh"):
        DensityClusters(2).fit(torch.rand(9, 2), weights=torch.ones(9))
    with pytest.raises(ConfigError, match="min_cluster_size"):
        DensityClusters(1)
