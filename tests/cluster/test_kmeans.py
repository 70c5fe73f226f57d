import itertools

import pytest
import torch

from motet.cluster import KMeans
from motet.errors import ConfigError, ConvergenceError, MotetError, NonFiniteError, TooFewPointsError


def cloud(groups=4, each=30, dims=3, apart=8.0, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(groups, dims, generator=generator, dtype=dtype) * apart
    noise = torch.randn(groups, each, dims, generator=generator, dtype=dtype)
    return (centres[:, None] + noise).flatten(0, 1), torch.arange(groups).repeat_interleave(each)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_well_separated_groups_are_found(dtype):
    points, truth = cloud(dtype=dtype)
    labels = KMeans(4).fit(points).labels
    together = truth[:, None] == truth
    assert ((labels[:, None] == labels) == together).all()


def test_the_cost_is_the_least_of_all_partitions_of_a_small_cloud():
    points = torch.randn(8, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = torch.tensor(list(itertools.product(range(3), repeat=8)))
    members = torch.nn.functional.one_hot(labels, 3).double()
    centres = (members / members.sum(1, keepdim=True).clamp_min(1)).mT @ points
    costs = (points[:, None] - centres[:, None]).square().sum(-1).mul(members).sum((1, 2))
    assert KMeans(3, starts=30).fit(points).cost == pytest.approx(float(costs.min()))


def test_each_centre_is_the_mean_of_its_points_and_the_nearest_one():
    points, _ = cloud(apart=1.0)
    model = KMeans(5).fit(points)
    for label, centre in enumerate(model.centres):
        torch.testing.assert_close(centre, points[model.labels == label].mean(0))
    torch.testing.assert_close(model.predict(points), model.labels)
    torch.testing.assert_close(torch.cdist(points, model.centres).argmin(-1), model.labels)
    assert model.score(points) == pytest.approx(-model.cost / len(points))


def test_a_whole_weight_counts_as_that_many_points():
    points, _ = cloud(apart=4.0)
    weights = torch.randint(1, 4, (len(points),), generator=torch.Generator().manual_seed(2))
    weighted = KMeans(4).fit(points, weights=weights.double())
    repeated = KMeans(4).fit(points.repeat_interleave(weights, 0))
    assert weighted.cost == pytest.approx(repeated.cost)
    torch.testing.assert_close(weighted.labels.repeat_interleave(weights), repeated.labels)


def test_a_point_without_weight_moves_nothing():
    points, _ = cloud()
    far = torch.cat([points, torch.full((1, 3), 1e3, dtype=points.dtype)])
    weights = torch.ones(len(far), dtype=points.dtype)
    weights[-1] = 0
    torch.testing.assert_close(KMeans(4).fit(far, weights=weights).centres, KMeans(4).fit(points).centres)


def test_a_rigid_motion_moves_the_centres_with_the_points():
    points, _ = cloud(dims=3)
    spin = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64)
    turn = torch.linalg.matrix_exp(spin)
    here, there = KMeans(4).fit(points), KMeans(4).fit(points @ turn + 50)
    torch.testing.assert_close(there.labels, here.labels)
    torch.testing.assert_close(there.centres, here.centres @ turn + 50)


def test_clusters_come_heaviest_first():
    points, truth = cloud(each=20)
    weights = torch.tensor([1.0, 4, 2, 3], dtype=torch.float64)[truth]
    labels = KMeans(4).fit(points, weights=weights).labels
    assert [int(truth[labels == label][0]) for label in range(4)] == [1, 3, 2, 0]


def test_the_same_seed_gives_the_same_bytes():
    points, _ = cloud(apart=1.0)
    one, two = (KMeans(6).fit(points, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one.labels, two.labels)
    assert torch.equal(one.centres, two.centres)


def test_the_global_source_of_random_numbers_is_left_alone():
    before = torch.random.get_rng_state()
    KMeans(3).fit(cloud()[0])
    assert torch.equal(before, torch.random.get_rng_state())


def test_no_cluster_is_left_empty():
    # Many equal points: Lloyd from almost any seeds empties clusters in a line of heavy stacks.
    stacks = torch.tensor([0.0, 1, 2, 3, 100, 101], dtype=torch.float64).repeat_interleave(50)[:, None]
    for seed in range(20):
        model = KMeans(6, starts=4).fit(stacks, generator=torch.Generator().manual_seed(seed))
        assert torch.bincount(model.labels, minlength=6).tolist() == [50] * 6
        assert model.cost == pytest.approx(0, abs=1e-9)


def test_an_emptied_cluster_restarts_where_it_costs_most():
    from motet.cluster.kmeans import _lloyd

    points = torch.tensor([[0.0], [1], [10], [11], [50]], dtype=torch.float64)
    centres = torch.tensor([[[5.0], [1000], [2000]]], dtype=torch.float64)
    labels, centres, costs, _ = _lloyd(points, torch.ones(5, dtype=torch.float64), centres, 50)
    assert sorted(centres[0, :, 0].tolist()) == [0.5, 10.5, 50]
    assert costs.item() == pytest.approx(1.0)
    assert len(set(labels[0].tolist())) == 3


def test_more_clusters_than_distinct_points_is_refused():
    points = torch.tensor([[0.0], [0], [1], [1]])
    with pytest.raises(TooFewPointsError, match="3 clusters of 2 distinct points"):
        KMeans(3).fit(points)
    with pytest.raises(TooFewPointsError):
        KMeans(5).fit(points)


def test_equal_points_are_one_cluster_of_no_cost():
    model = KMeans(1).fit(torch.full((5, 3), 7.3))
    assert model.cost == pytest.approx(0, abs=1e-9)
    assert not model.labels.any()


def test_an_unfinished_iteration_is_an_error():
    points, _ = cloud(apart=0.5, each=200)
    with pytest.raises(ConvergenceError, match="raise max_sweeps"):
        KMeans(8, max_sweeps=2).fit(points)


@pytest.mark.parametrize(
    ("points", "weights", "error"),
    [
        (torch.tensor([[1.0], [float("nan")]]), None, NonFiniteError),
        (torch.zeros(0, 3), None, ConfigError),
        (torch.zeros(2, 3), torch.tensor([1.0, -1]), ConfigError),
        (torch.zeros(2, 3), torch.zeros(2), ConfigError),
    ],
)
def test_a_bad_cloud_is_refused(points, weights, error):
    with pytest.raises(error):
        KMeans(1).fit(points, weights=weights)


def test_bad_settings_are_refused():
    with pytest.raises(MotetError):
        KMeans(0)
    with pytest.raises(MotetError):
        KMeans(2, starts=0)
