import math

import pytest
import torch

from motet.cluster import SESC, KMeans, adjusted_rand
from motet.errors import ConfigError, ConvergenceError, TooFewPointsError

SPIN = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64)


@pytest.mark.slow
@pytest.mark.parametrize("dimension", [None, 2])
def test_three_discs_are_told_apart_over_ten_seeds(discs, dimension):
    found = []
    for seed in range(10):
        points, truth = discs(seed)
        model = SESC(3, dimension=dimension).fit(points, generator=torch.Generator().manual_seed(seed))
        assert model.dimensions.tolist() == [2, 2, 2]
        found.append(adjusted_rand(model.labels, truth))
    assert sum(found) / 10 >= 0.99
    assert min(found) >= 0.97


def test_discs_need_both_flatness_and_a_ball(discs):
    points, truth = discs(0, each=150)
    found = {
        eta: adjusted_rand(SESC(3, dimension=2, eta=eta).fit(points).labels, truth) for eta in (math.inf, None)
    }
    assert found[None] > 0.97
    assert found[math.inf] < 0.6
    assert adjusted_rand(KMeans(3).fit(points).labels, truth) < 0.6


@pytest.mark.parametrize("settings", [{"eta": 0.0, "dimension": 2}, {"dimension": 0}], ids=str)
def test_without_a_ball_or_an_axis_it_is_k_means(discs, settings):
    points, _ = discs(1, each=60, dims=6)
    balls, means = SESC(3, **settings).fit(points), KMeans(3, starts=40).fit(points)
    assert balls.cost == pytest.approx(means.cost)
    assert adjusted_rand(balls.labels, means.labels) == 1


def test_without_a_bound_the_cost_is_the_distance_off_the_flats():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(80, 5, generator=generator, dtype=torch.float64)
    model = SESC(1, dimension=2, eta=math.inf).fit(points)
    centred = points - points.mean(0)
    assert model.cost == pytest.approx(float(torch.linalg.svdvals(centred)[2:].square().sum()))


def test_the_default_ball_of_a_uniform_disc_is_the_disc():
    generator = torch.Generator().manual_seed(0)
    length, angle = torch.rand(2, 20_000, generator=generator, dtype=torch.float64)
    points = torch.zeros(20_000, 3, dtype=torch.float64)
    points[:, 0] = 7 * length.sqrt() * (2 * torch.pi * angle).cos()
    points[:, 1] = 7 * length.sqrt() * (2 * torch.pi * angle).sin()
    model = SESC(1).fit(points)
    assert model.dimensions.tolist() == [2]
    assert model.radii.item() == pytest.approx(7, rel=0.01)


def test_the_cost_is_what_the_definition_says(discs):
    points, _ = discs(2, each=60, dims=5)
    model = SESC(3, dimension=1).fit(points)
    off = points - model.centres[:, None]
    along = (off @ model.axes).square().sum(-1)
    expected = off.square().sum(-1) - torch.minimum(along, model.radii.square()[:, None])
    torch.testing.assert_close(model.costs(points), expected)
    own = expected[model.labels, torch.arange(len(points))]
    assert model.cost == pytest.approx(float(own.sum()))
    assert model.score(points) == pytest.approx(-float(expected.amin(0).mean()))
    gram = model.axes.mT @ model.axes
    torch.testing.assert_close(gram, torch.eye(1, dtype=torch.float64).expand(3, 1, 1))
    for label in range(3):
        inside = model.labels == label
        torch.testing.assert_close(model.centres[label], points[inside].mean(0))
        torch.testing.assert_close(model.variances[label], along[label, inside].mean()[None])


def test_each_cluster_has_its_own_dimension():
    generator = torch.Generator().manual_seed(3)
    points = 0.1 * torch.randn(3, 150, 8, generator=generator, dtype=torch.float64)
    for cluster, dimension in enumerate((1, 2, 4)):
        points[cluster, :, :dimension] += 3 * torch.randn(150, dimension, generator=generator, dtype=torch.float64)
        points[cluster, :, 7] += 30 * cluster
    model = SESC(3).fit(points.flatten(0, 1))
    assert sorted(model.dimensions.tolist()) == [1, 2, 4]
    beyond = torch.arange(4) >= model.dimensions[:, None]
    assert not model.variances[beyond].any()
    assert not model.axes.mT[beyond].any()


def test_a_rigid_motion_changes_no_label_and_no_cost():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(120, 3, generator=generator, dtype=torch.float64) * torch.tensor([5.0, 1, 0.2])
    points[60:, 2] += 4
    here = SESC(2, dimension=1).fit(points)
    there = SESC(2, dimension=1).fit(points @ torch.linalg.matrix_exp(SPIN) + 20)
    torch.testing.assert_close(there.labels, here.labels)
    assert there.cost == pytest.approx(here.cost)


def test_weights_count_as_copies():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(60, 3, generator=generator, dtype=torch.float64) * torch.tensor([5.0, 1, 0.2])
    points[30:, 2] += 6
    weights = torch.randint(1, 4, (60,), generator=generator)
    weighted = SESC(2, dimension=1).fit(points, weights=weights.double())
    repeated = SESC(2, dimension=1).fit(points.repeat_interleave(weights, 0))
    assert weighted.cost == pytest.approx(repeated.cost)


def test_a_screened_fit_ends_where_a_full_one_does(discs):
    points, truth = discs(4, each=200, dims=30)
    screened = SESC(3, dimension=2, screen=(300, 10)).fit(points)
    assert adjusted_rand(screened.labels, truth) > 0.97
    assert screened.cost == pytest.approx(SESC(3, dimension=2).fit(points).cost, rel=1e-3)


def test_the_same_seed_gives_the_same_bytes(discs):
    points, _ = discs(5, each=50)
    one, two = (SESC(3).fit(points, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one.labels, two.labels)
    assert torch.equal(one.axes, two.axes)


def test_points_on_an_exact_flat_cost_nothing_and_stay_finite():
    grid = torch.cartesian_prod(torch.arange(5.0), torch.arange(5.0), torch.zeros(1))
    model = SESC(1, dimension=2, eta=10.0).fit(grid)
    assert model.cost == pytest.approx(0, abs=1e-4)
    assert model.axes.isfinite().all()


def test_mistakes_are_refused(discs):
    points, _ = discs(6, each=40, dims=4)
    with pytest.raises(ConfigError, match="below the 4"):
        SESC(2, dimension=4).fit(points)
    with pytest.raises(TooFewPointsError):
        SESC(4, dimension=2).fit(points[:10])
    with pytest.raises(TooFewPointsError):
        SESC(2, dimension=1).fit(torch.ones(30, 3))
    with pytest.raises(ConvergenceError, match="raise max_sweeps"):
        SESC(3, dimension=2, max_sweeps=1).fit(points)
    for settings in ({"eta": -1.0}, {"dimension": -1}, {"starts": 0}, {"eta": math.nan}):
        with pytest.raises(ConfigError):
            SESC(2, **settings)
