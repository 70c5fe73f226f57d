import pytest
import torch

from motet.cluster import choose_k
from motet.errors import ConfigError


def groups(k, each, dims, apart, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.zeros(k, dims, dtype=torch.float64)
    centres[:, :k] = torch.eye(k, dtype=torch.float64) * apart
    return (centres[:, None] + torch.randn(k, each, dims, generator=generator, dtype=torch.float64)).flatten(0, 1)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_separate_groups_are_counted(k):
    choice = choose_k(groups(k, 40, 6, 12.0), range(2, 8))
    assert choice.k == k
    assert torch.bincount(choice.model.labels).tolist() == [40] * k
    assert choice.silhouette == max(choice.tried.values())
    assert choice.p_value == pytest.approx(1 / 20)


@pytest.mark.parametrize("shape", [[5.0, 1, 1], [10.0, 0.1, 0.1]])
def test_one_long_gaussian_is_one_cluster_at_the_level_of_the_test(shape):
    generator = torch.Generator().manual_seed(0)
    clouds = torch.randn(30, 100, 3, generator=generator, dtype=torch.float64) * torch.tensor(shape)
    found = [choose_k(cloud, range(2, 4), starts=4, generator=generator).k for cloud in clouds]
    # 30 draws at level 1/20: more than five wrong answers have a chance of 0.3 %.
    assert sum(k != 1 for k in found) <= 5


def test_one_cluster_has_the_mean_as_centre_and_no_silhouette():
    points = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    choice = choose_k(points, range(2, 4))
    assert choice.k == 1
    assert choice.silhouette is None
    torch.testing.assert_close(choice.model.centres[0], points.mean(0))


def test_more_dimensions_than_points_are_no_hindrance():
    choice = choose_k(groups(3, 12, 200, 40.0), range(2, 6))
    assert choice.k == 3
    assert choice.model.centres.shape == (3, 200)
    truth = groups(3, 12, 200, 40.0).unflatten(0, (3, 12)).mean(1)
    order = choice.model.labels[::12]
    torch.testing.assert_close(choice.model.centres[order], truth)


def test_weights_decide_what_is_seen():
    points = groups(3, 40, 6, 12.0)
    weights = torch.ones(120, dtype=torch.float64)
    weights[80:] = 0
    assert choose_k(points, range(2, 6), weights=weights).k == 2


@pytest.mark.parametrize("points", [torch.zeros(50, 3), torch.arange(3.0)[:, None]])
def test_clouds_with_nothing_to_split_are_one_cluster(points):
    choice = choose_k(points)
    assert choice.k == 1
    assert choice.p_value == 1
    assert "too few distinct points" in choice.reason


def test_the_threshold_decides():
    points = groups(2, 60, 2, 6.0)
    assert choose_k(points, range(2, 4)).k == 2
    assert choose_k(points, range(2, 4), threshold=0.95).k == 1


def test_a_large_cloud_is_judged_by_a_sample():
    assert choose_k(groups(3, 400, 5, 12.0), range(2, 5), sample=100, nulls=4).k == 3


def test_one_is_not_a_number_to_try():
    with pytest.raises(ConfigError, match="always considered"):
        choose_k(torch.zeros(5, 2), range(1, 4))
