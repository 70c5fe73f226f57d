"""A path between two states stays closed, ends where it should, and goes there evenly."""

import math

import pytest
import torch

from motet.ensemble.paths import path_between
from motet.errors import ConfigError, TopologyMismatchError
from motet.forcefield import ForceField
from motet.geometry import InternalCoordinates, Tree, rmsd

from .peptides import peptide


@pytest.fixture(scope="module")
def hinge():
    """Two helices of eight residues, and the same turned by 80 degrees about one bond between them."""
    structure = peptide("AAKAAEAAGGAAKAALAA").to(torch.float32)
    tree = Tree.of(structure.topology)
    internal = InternalCoordinates.from_cartesian(tree, structure.coords.double())
    joint = tree.psi[8:9]
    turned = internal.with_torsions(joint, internal.torsions[joint] + math.radians(80))
    return structure, structure.with_coords(turned.to_cartesian().float())


@pytest.fixture(scope="module")
def path(hinge):
    start, end = hinge
    return path_between(start, end, ForceField().bind(start), 6, relax_steps=10)


def carbons(structure):
    return structure.coords[..., torch.from_numpy(structure.topology.atom_index("CA")), :]


def test_the_ends_are_the_two_states(hinge, path):
    start, end = (carbons(one) for one in hinge)
    found = carbons(path.structure)
    assert rmsd(found[0], start) < 0.3
    assert rmsd(found[-1], end) < 0.3
    assert rmsd(start, end) > 2


def test_bonds_keep_their_length_all_the_way(path):
    tree = Tree.of(path.structure.topology)
    lengths = InternalCoordinates.from_cartesian(tree, path.coords.double()).lengths
    assert (lengths - lengths[0]).abs().max() < 1e-3  # float32 coordinates


def test_the_way_is_gone_in_even_steps(path):
    found = carbons(path.structure)
    steps = rmsd(found[1:], found[:-1])
    assert steps.max() < 2.5 * steps.mean()
    away = rmsd(found, found[:1].expand_as(found))
    assert (away.diff() > 0).all()


def test_nothing_clashes_on_the_way(path):
    assert path.barrier < 100
    assert path.energies.isfinite().all()


def test_rigid_halves_stay_rigid(path):
    halves = carbons(path.structure)[:, :8]
    assert rmsd(halves, halves[:1].expand_as(halves)).max() < 0.5


def test_a_path_back_is_the_path_there(hinge):
    start, end = hinge
    system = ForceField().bind(start)
    there = path_between(start, end, system, 4, relax_steps=0)
    back = path_between(end, start, system, 4, relax_steps=0)
    found, expected = carbons(back.structure).flip(0), carbons(there.structure)
    assert rmsd(found, expected).max() < 0.5


def test_ends_of_different_atoms_are_refused(hinge):
    start, _ = hinge
    other = peptide("AAAA").to(torch.float32)
    with pytest.raises(TopologyMismatchError):
        path_between(start, other, ForceField().bind(start), 4)


def test_one_frame_is_no_path(hinge):
    start, end = hinge
    with pytest.raises(ConfigError, match="two frames"):
        path_between(start, end, ForceField().bind(start), 1)
