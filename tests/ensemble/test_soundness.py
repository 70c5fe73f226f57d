"""Soundness: a stretched bond and two atoms on top of each other are seen, and nothing else is."""

import pytest
import torch

from motet.ensemble import inspect_geometry
from motet.io import read


@pytest.fixture(scope="module")
def trp_cage(examples):
    return read(examples / "1l2y.pdb")


def test_an_experimental_structure_is_sound(trp_cage):
    found = inspect_geometry(trp_cage)
    assert found.worst_bond.shape == found.closest_pair.shape == (1,)
    assert found.worst_bond.item() < 0.05
    assert 2.0 < found.closest_pair.item() < 3.0


def test_a_stretched_bond_is_seen_in_its_model_alone(trp_cage):
    coords = trp_cage.coords.expand(2, -1, -1).clone()
    carbonyl = trp_cage.topology.atom_index("O")[3]
    carbon = trp_cage.topology.atom_index("C")[3]
    along = coords[1, carbonyl] - coords[1, carbon]
    coords[1, carbonyl] += 0.3 * along / along.norm()
    found = inspect_geometry(trp_cage.with_coords(coords))
    assert found.worst_bond[0].item() < 0.05
    assert found.worst_bond[1].item() == pytest.approx(0.3, abs=0.05)
    assert found.unsound.tolist() == [False, True]


def test_atoms_inside_each_other_are_seen(trp_cage):
    coords = trp_cage.coords.clone()
    first, last = trp_cage.topology.atom_index("CB")[[0, -1]]
    coords[..., last, :] = coords[..., first, :] + torch.tensor([0.5, 0.0, 0.0])
    assert inspect_geometry(trp_cage.with_coords(coords)).closest_pair.item() == pytest.approx(0.5, abs=1e-4)


def test_neighbours_along_bonds_are_not_contacts(trp_cage):
    alone = trp_cage.select("residues 3 and backbone")
    assert inspect_geometry(alone).closest_pair.item() > 2.0
