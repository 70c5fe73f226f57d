"""A body that was carried off is found again."""

import pytest
import torch

from motet.density import DensityMap, dock, render
from motet.density.docking import without
from motet.geometry import Rigid, even_rotations, rmsd, split_domains
from motet.geometry.rotations import rotation_of

from .conftest import SQUARE, around


def test_rotations_are_proper_and_even():
    turns = even_rotations(500, torch.float64)
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3, dtype=torch.float64).expand(500, 3, 3))
    assert (torch.linalg.det(turns) > 0).all()
    anywhere = rotation_of(torch.randn(200, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    cosine = (torch.einsum("aij,bij->ab", anywhere, turns).amax(-1) - 1) / 2
    assert torch.acos(cosine.clamp(-1, 1)).rad2deg().max() < 40
    assert torch.equal(rotation_of(torch.zeros(4)), torch.eye(3))


def test_a_model_that_was_carried_off_is_found_again(trp_cage, electrons):
    coords = trp_cage.coords.float()
    ones = torch.ones(trp_cage.n_atoms)
    grid = around(coords, SQUARE, margin=6.0)
    density = DensityMap(render(coords, electrons, 30 * ones, ones, grid), grid)
    away = Rigid(even_rotations(7)[4], torch.tensor([31.0, -12.0, 55.0])).apply(coords)
    found = dock(density, away, electrons, resolution=3.0, rotations=600, keep=3)
    back = found.motions.apply(away)
    assert rmsd(back[0], coords, fit=False) < 0.4
    assert found.scores[0] > 0.95
    assert (found.scores[1:] < found.scores[0]).all()


def test_taken_density_is_gone_and_the_rest_stays(trp_cage, electrons):
    coords = trp_cage.coords.float()
    ones = torch.ones(trp_cage.n_atoms)
    grid = around(coords, SQUARE)
    density = DensityMap(render(coords, electrons, 30 * ones, ones, grid), grid)
    rest = without(density, coords[:50])
    assert not rest.at(coords[:50]).any()
    far = torch.cdist(coords, coords[:50]).amin(-1) > 6
    torch.testing.assert_close(rest.at(coords[far]), density.at(coords[far]))


def test_two_balls_on_a_string_are_two_domains():
    noise = torch.Generator().manual_seed(2)
    ball = torch.randn(60, 3, generator=noise) * 7
    string = torch.tensor([[25.0, 0, 0]]) + torch.randn(4, 3, generator=noise)
    labels = split_domains(torch.cat((ball, string, ball + torch.tensor([50.0, 0, 0]))))
    assert labels[:55].unique().tolist() == [0]
    assert labels[70:].unique().tolist() == [1]
    assert not split_domains(ball).any()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_residues_are_one_domain(count):
    assert split_domains(torch.zeros(count, 3)).tolist() == [0] * count
