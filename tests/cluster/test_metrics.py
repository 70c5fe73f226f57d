import math

import pytest
import torch

from motet.cluster import adjusted_rand, contingency, variation_of_information
from motet.errors import ConfigError


def labels(n=80, k=4, seed=0):
    return torch.randint(0, k, (n,), generator=torch.Generator().manual_seed(seed))


def test_adjusted_rand_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    for seed in range(5):
        one, two = labels(seed=seed), labels(k=6, seed=seed + 50) // 2
        two[:40] = one[:40]
        expected = metrics.adjusted_rand_score(one.numpy(), two.numpy())
        assert adjusted_rand(one, two) == pytest.approx(expected)


def test_adjusted_rand_of_a_textbook_case():
    # Hubert and Arabie: of 15 pairs 2 are together in both, 6 in the one, 3 in the other.
    one, two = torch.tensor([0, 0, 0, 1, 1, 1]), torch.tensor([0, 0, 1, 1, 2, 2])
    assert adjusted_rand(one, two) == pytest.approx((2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15))


def test_renaming_clusters_changes_nothing():
    one = labels()
    assert adjusted_rand(one, 7 - one) == pytest.approx(1)
    assert variation_of_information(one, 7 - one) == pytest.approx(0, abs=1e-12)


def test_variation_of_information_is_a_metric():
    one, two, three = labels(seed=1), labels(seed=2), labels(seed=3)
    here, there = variation_of_information(one, two), variation_of_information(two, one)
    assert here == pytest.approx(there)
    assert variation_of_information(one, three) <= here + variation_of_information(two, three)


def test_variation_of_information_of_a_split_is_the_entropy_of_the_halves():
    whole, halves = torch.zeros(8, dtype=torch.long), torch.arange(8) % 2
    assert variation_of_information(whole, halves) == pytest.approx(math.log(2))
    weights = torch.tensor([3.0, 1.0]).repeat(4)
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert variation_of_information(whole, halves, weights) == pytest.approx(expected)


def test_the_table_counts_every_pair_of_clusters():
    one, two = torch.tensor([0, 0, 5, -1]), torch.tensor([1, 2, 2, 2])
    assert contingency(one, two).tolist() == [[0, 1], [1, 1], [0, 1]]


def test_clusterings_of_unlike_clouds_are_refused():
    with pytest.raises(ConfigError, match="3 and 4 points"):
        adjusted_rand(torch.zeros(3, dtype=torch.long), torch.zeros(4, dtype=torch.long))
