import pytest
import torch

from motet.cluster import mean_silhouette, silhouette, silhouette_of_distances
from motet.errors import ConfigError


def sample(n=60, dims=4, k=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(n, dims, generator=generator, dtype=torch.float64)
    return points, torch.randint(0, k, (n,), generator=generator)


def test_values_agree_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    points, labels = sample()
    expected = torch.from_numpy(metrics.silhouette_samples(points.numpy(), labels.numpy()))
    torch.testing.assert_close(silhouette(points, labels), expected)
    assert mean_silhouette(silhouette(points, labels)) == pytest.approx(
        metrics.silhouette_score(points.numpy(), labels.numpy())
    )


def test_four_points_by_hand():
    points = torch.tensor([[0.0], [1], [5], [7]], dtype=torch.float64)
    expected = [(6 - 1) / 6, (5 - 1) / 5, (4.5 - 2) / 4.5, (6.5 - 2) / 6.5]
    assert silhouette(points, torch.tensor([0, 0, 1, 1])).tolist() == pytest.approx(expected)


def test_distances_and_points_agree_in_any_chunk():
    points, labels = sample()
    weights = torch.rand(60, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    from_distances = silhouette_of_distances(torch.cdist(points, points), labels, weights)
    for chunk in (1, 7, 1000):
        torch.testing.assert_close(silhouette(points, labels, weights, chunk=chunk), from_distances)


def test_names_of_clusters_do_not_matter():
    points, labels = sample()
    torch.testing.assert_close(silhouette(points, labels * 5 + 2), silhouette(points, labels))


def test_weights_are_relative():
    points, labels = sample()
    weights = torch.rand(60, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(silhouette(points, labels, weights), silhouette(points, labels, weights * 1e-3))


def test_a_point_without_weight_changes_no_other():
    points, labels = sample()
    weights = torch.ones(60, dtype=torch.float64)
    weights[7] = 0
    kept = torch.arange(60) != 7
    torch.testing.assert_close(silhouette(points, labels, weights)[kept], silhouette(points[kept], labels[kept]))


def test_noise_reads_zero_and_is_nobodys_neighbour():
    points, labels = sample()
    labels[:10] = -1
    values = silhouette(points, labels)
    assert not values[:10].any()
    torch.testing.assert_close(values[10:], silhouette(points[10:], labels[10:]))


def test_one_cluster_singletons_and_coincident_points_read_zero():
    points, labels = sample()
    assert not silhouette(points, torch.zeros_like(labels)).any()
    assert not silhouette(points[:2], torch.tensor([0, 1])).any()
    assert not silhouette(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1])).any()
    assert not silhouette(points, torch.full_like(labels, -1)).any()


def test_similarities_are_refused():
    with pytest.raises(ConfigError, match="negative"):
        silhouette_of_distances(-torch.eye(2), torch.tensor([0, 1]))
