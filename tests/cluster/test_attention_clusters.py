import pytest
import torch

from motet.cluster import AttentionClusters, Clustering, ClusterModel, adjusted_rand
from motet.errors import ConfigError

DOUBLE = torch.float64


def cloud(k, dims=8, seed=3, each=30):
    generator = torch.Generator().manual_seed(seed)
    centres = 3 * torch.randn(k, dims, generator=generator, dtype=DOUBLE)
    truth = torch.arange(k).repeat_interleave(each)
    return centres[truth] + 0.5 * torch.randn(k * each, dims, generator=generator, dtype=DOUBLE), truth


@pytest.mark.parametrize("k", [2, 3, 5])
def test_separate_clouds_come_out_as_clusters(k):
    points, truth = cloud(k)
    model = AttentionClusters(16.0).fit(points)
    assert isinstance(model, ClusterModel)
    assert adjusted_rand(model.labels, truth) == 1
    assert adjusted_rand(model.predict(points), truth) == 1
    assert model.score(points) > 0.8
    assert model.persistence > 10


def test_one_round_cloud_is_one_cluster():
    points, _ = cloud(1)
    model = AttentionClusters(16.0).fit(points)
    assert isinstance(AttentionClusters(16.0), Clustering)
    assert model.labels.tolist() == [0] * 30
    torch.testing.assert_close(model.centres[0], points.mean(0))


def test_clusters_ignore_order_and_rotation():
    points, _ = cloud(3)
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(points), generator=generator)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=DOUBLE)).Q
    model, turned = AttentionClusters(16.0).fit(points), AttentionClusters(16.0).fit(points[order] @ turn + 5)
    assert adjusted_rand(model.labels[order], turned.labels) == 1


def test_equal_points_have_no_direction_and_one_cluster():
    model = AttentionClusters(4.0).fit(torch.ones(5, 3))
    assert model.labels.tolist() == [0] * 5
    assert model.centres.isfinite().all()


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="beta=0"):
        AttentionClusters(0.0)
