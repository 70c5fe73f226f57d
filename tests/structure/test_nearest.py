"""Neighbours by tree: what a table of all distances would say."""

import numpy as np
import torch

from motet.structure.nearest import apart_groups, near_pairs, nearest_atoms


def test_the_nearest_are_those_of_all_distances():
    generator = torch.Generator().manual_seed(0)
    places = torch.rand((3, 50, 3), generator=generator, dtype=torch.float64)
    centres = torch.rand((3, 7, 3), generator=generator, dtype=torch.float64)
    distance, index = nearest_atoms(places, centres, 5)
    expected, where = torch.cdist(centres, places).topk(5, largest=False)
    torch.testing.assert_close(distance, expected)
    assert torch.equal(index, where)


def test_fewer_atoms_than_asked_for_are_all_of_them():
    distance, index = nearest_atoms(torch.zeros(1, 1, 3), torch.ones(1, 2, 3), 9)
    assert distance.shape == index.shape == (1, 2, 1)


def test_places_that_are_not_finite_are_last():
    places = torch.tensor([[[torch.nan, 0, 0], [1.0, 0, 0]]])
    assert nearest_atoms(places, torch.zeros(1, 1, 3), 2)[1].tolist() == [[[1, 0]]]


def test_no_two_of_a_group_come_near_in_any_model():
    generator = torch.Generator().manual_seed(1)
    places = 10 * torch.rand((4, 60, 3), generator=generator)
    groups = torch.tensor(apart_groups(places, 3.0))
    near = (torch.cdist(places, places) < 3.0).any(0) & ~torch.eye(60, dtype=torch.bool)
    assert not (near & (groups[:, None] == groups)).any()
    assert groups.max() > 0


def test_nothing_needs_no_group():
    assert apart_groups(torch.zeros(2, 0, 3), 3.0) == []


def test_near_pairs_are_those_of_all_distances_and_no_more_than_asked_for():
    random = np.random.default_rng(0)
    points, among = random.random((20, 3)), random.random((50, 3))
    distances = np.linalg.norm(points[:, None] - among, axis=-1)
    one, other, d = near_pairs(points, among, 50, 0.4)
    assert set(zip(one.tolist(), other.tolist(), strict=True)) == set(
        zip(*np.nonzero(distances < 0.4), strict=True)
    )
    np.testing.assert_allclose(d, distances[one, other])
    few = near_pairs(points, among, 3, 0.4)[0]
    assert np.bincount(few).max() == 3


def test_nothing_is_near_nothing():
    assert not len(near_pairs(np.zeros((0, 3)), np.zeros((4, 3)), 3, 1.0)[0])
    assert not len(near_pairs(np.zeros((4, 3)), np.zeros((0, 3)), 3, 1.0)[0])
