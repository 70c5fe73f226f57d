import itertools

import pytest
import torch

from motet.cluster import contingency, d_family
from motet.errors import ConfigError


def brute_force(one, two, diameter):
    """Best score over all partitions of all clusters into groups that are connected and narrow enough."""
    shared = contingency(one, two)
    rows, columns = shared.shape
    size = rows + columns
    near = torch.full((size, size), 99.0)
    near[:rows, rows:] = torch.where(shared > 0, 1.0, 99.0)
    near = torch.minimum(near, near.mT)

    def weight(group):
        inside = torch.tensor(sorted(group))
        steps = near[inside][:, inside].fill_diagonal_(0)
        for _ in group:
            steps = (steps[:, :, None] + steps[None]).amin(1)
        if steps.max() > diameter:
            return -1.0
        return float(shared[inside[inside < rows]][:, inside[inside >= rows] - rows].sum())

    weights = {g: weight(g) for r in range(1, size + 1) for g in itertools.combinations(range(size), r)}

    def best(left):
        if not left:
            return 0.0
        first, rest = left[0], left[1:]
        groups = ((first, *more) for r in range(len(rest) + 1) for more in itertools.combinations(rest, r))
        return max(weights[g] + best(tuple(v for v in left if v not in g)) for g in groups if weights[g] >= 0)

    return best(tuple(range(size)))


@pytest.mark.parametrize(("diameter", "reached"), [(1, 1.0), (2, 0.9), (3, 0.95), (4, 1.0)])
def test_the_score_reaches_almost_the_best_of_all_families_of_small_clusterings(diameter, reached):
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        one = torch.randint(0, 3, (25,), generator=generator)
        two = torch.where(
            torch.rand(25, generator=generator) < 0.6, one, torch.randint(0, 3, (25,), generator=generator)
        )
        best = brute_force(one, two, diameter)
        assert reached * best <= d_family(one, two, diameter).score <= best


def test_on_a_graph_that_is_a_tree_the_score_is_the_best():
    # A path of clusters: each overlaps the next of the other clustering only.
    one = torch.repeat_interleave(torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([7, 3, 4, 6, 5, 5]))
    two = torch.repeat_interleave(torch.tensor([0, 1, 1, 2, 2, 3]), torch.tensor([7, 3, 4, 6, 5, 5]))
    for diameter in range(1, 7):
        assert d_family(one, two, diameter, trees=1).score == brute_force(one, two, diameter)


def test_equal_clusterings_match_one_to_one():
    labels = torch.arange(30) % 5
    family = d_family(labels, 4 - labels, 1)
    assert family.share == 1
    assert sorted(family.groups) == [((i,), (4 - i,)) for i in range(5)]


def test_a_split_cluster_needs_diameter_two():
    whole = torch.arange(40) // 20
    split = torch.where(whole == 0, torch.arange(40) % 2, 2)
    assert d_family(whole, split, 1).share == pytest.approx(0.75)
    family = d_family(whole, split, 2)
    assert family.share == 1
    assert family.groups == (((0,), (0, 1)), ((1,), (2,)))


def test_a_larger_diameter_never_scores_less_and_groups_never_overlap():
    generator = torch.Generator().manual_seed(0)
    one, two = torch.randint(0, 8, (2, 200), generator=generator)
    scores = []
    for diameter in range(1, 6):
        family = d_family(one, two, diameter, trees=20)
        scores.append(family.score)
        for side in (0, 1):
            used = [cluster for group in family.groups for cluster in group[side]]
            assert len(used) == len(set(used))
    assert scores == sorted(scores)


def test_weights_and_seeds_are_honoured():
    generator = torch.Generator().manual_seed(0)
    one, two = torch.randint(0, 4, (2, 50), generator=generator)
    weights = torch.randint(1, 4, (50,), generator=generator)
    repeated = d_family(one.repeat_interleave(weights), two.repeat_interleave(weights), 2)
    assert d_family(one, two, 2, weights=weights.double()) == repeated


def test_mistakes_are_refused():
    with pytest.raises(ConfigError):
        d_family(torch.arange(3), torch.arange(3), 0)
