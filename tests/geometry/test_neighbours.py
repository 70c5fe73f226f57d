import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motet.errors import ConfigError, NonFiniteError
from motet.geometry import neighbour_pairs
from motet.geometry.cells import cell_pairs
from motet.geometry.neighbours import _tree_pairs


def brute_force(points, cutoff, group):
    near = (points[:, None] - points[None]).double().square().sum(-1) <= cutoff**2
    return (near & (group[:, None] == group[None])).triu(1).nonzero().T


def as_set(pairs):
    return set(zip(*(side.tolist() for side in pairs), strict=True))


@st.composite
def clouds(draw):
    """Points on a coarse grid (many coincident, many exactly at the cutoff), some of them far away."""
    count = draw(st.integers(0, 40))
    near = st.integers(-6, 6).map(lambda k: k / 2)
    far = st.sampled_from([1e3, -1e6, 1e9, -1e15, 1e30])
    number = st.one_of(near, near, near, far) if draw(st.booleans()) else near
    points = draw(st.lists(st.lists(number, min_size=3, max_size=3), min_size=count, max_size=count))
    group = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return torch.tensor(points, dtype=torch.float64).reshape(-1, 3), torch.tensor(group, dtype=torch.int64)


@settings(max_examples=200, deadline=None)
@given(clouds(), st.sampled_from([0.25, 0.5, 1.0, 2.5, 100.0]))
def test_both_searches_find_what_brute_force_finds(cloud, cutoff):
    points, group = cloud
    expected = brute_force(points, cutoff, group)
    assert torch.equal(neighbour_pairs(points, cutoff, group), expected)
    if len(points) > 1:
        assert as_set(cell_pairs(points, cutoff, group)) == as_set(expected)
        assert as_set(_tree_pairs(points, cutoff, group)) == as_set(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("search", [cell_pairs, _tree_pairs])
def test_a_random_gas_far_from_the_origin(dtype, search, draw):
    points = torch.rand(600, 3, generator=draw, dtype=dtype) * 20 + 1000
    group = torch.randint(0, 3, (600,), generator=draw)
    expected = brute_force(points.double(), 4.0, group)
    assert as_set(search(points.double(), 4.0, group)) == as_set(expected)
    assert torch.equal(neighbour_pairs(points, 4.0, group), expected)


def test_cells_work_in_pieces_of_bounded_size(draw, monkeypatch):
    monkeypatch.setattr("motet.geometry.cells._CANDIDATES", 50)
    points, group = (
        torch.rand(300, 3, generator=draw, dtype=torch.float64) * 10,
        torch.zeros(300, dtype=torch.int64),
    )
    assert as_set(cell_pairs(points, 2.0, group)) == as_set(brute_force(points, 2.0, group))


def test_order_of_groups_does_not_matter(draw):
    points = torch.rand(200, 3, generator=draw) * 10
    group = torch.randint(0, 4, (200,), generator=draw)
    renamed = torch.tensor([70, -5, 3, 10**12])[group]
    assert torch.equal(neighbour_pairs(points, 3.0, group), neighbour_pairs(points, 3.0, renamed))


@pytest.mark.parametrize("count", [0, 1])
def test_lonely_atoms_have_no_pairs(count):
    assert neighbour_pairs(torch.zeros(count, 3), 5.0).shape == (2, 0)


def test_coincident_atoms_are_pairs():
    assert neighbour_pairs(torch.ones(30, 3), 5.0).shape == (2, 435)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_atoms_that_are_nowhere_are_refused(bad):
    points = torch.zeros(3, 3)
    points[1, 2] = bad
    with pytest.raises(NonFiniteError, match="not a number"):
        neighbour_pairs(points, 5.0)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, float("nan"), float("inf")])
def test_a_cutoff_that_is_no_distance_is_refused(cutoff):
    with pytest.raises(ConfigError, match="cutoff"):
        neighbour_pairs(torch.zeros(3, 3), cutoff)
