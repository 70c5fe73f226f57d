"""A peptide that stands the wrong way round is turned, and nothing else is touched."""

import pytest
import torch

from motet.ensemble import prepared
from motet.ensemble.refinement import Guided
from motet.ensemble.refinement.mending import TURNS, mended, suspects, turned_about_alphas
from motet.forcefield import ForceField
from motet.forcefield.restraints import PositionRestraint
from motet.io import read

FLIPPED = 4  # the peptide between the fifth residue and the sixth, in a helix


@pytest.fixture(scope="module")
def trp_cage(examples):
    return prepared(read(examples / "1l2y.pdb")).model(0)


@pytest.fixture(scope="module")
def flipped(trp_cage):
    turned = turned_about_alphas(trp_cage.topology, trp_cage.coords, FLIPPED)
    assert turned is not None
    return turned[TURNS.index(max(TURNS, key=lambda turn: -abs(turn - torch.pi)))]


@pytest.fixture(scope="module")
def guided(trp_cage):
    """The Cα are held by something that stands for a map."""
    system = ForceField().bind(trp_cage)
    alpha = torch.from_numpy(trp_cage.mask("name CA"))
    return Guided(system, PositionRestraint(trp_cage.coords, stiffness=1.0, atoms=alpha), 5.0)


def test_turns_leave_the_alphas_and_bonds_to_them_where_they_are(trp_cage):
    topology, coords = trp_cage.topology, trp_cage.coords
    turned = turned_about_alphas(topology, coords, FLIPPED)
    assert turned is not None
    moved = (turned - coords).norm(dim=-1).amax(0) > 1e-3
    names = [topology.atom_label(int(atom)).split("/")[-1] for atom in moved.nonzero().flatten()]
    assert sorted(names) == ["C", "N", "O"]
    bonds = torch.from_numpy(topology.bonds.copy())
    before, after = (
        (one[..., bonds[:, 0], :] - one[..., bonds[:, 1], :]).norm(dim=-1) for one in (coords, turned)
    )
    torch.testing.assert_close(after, before.expand_as(after), atol=1e-4, rtol=0)


@pytest.mark.parametrize("residue", [-1, 19, 10])
def test_ends_and_prolines_have_no_peptide_to_turn(trp_cage, residue):
    if residue == 10:
        assert trp_cage.topology.residue_names[11] == "PRO"
    assert turned_about_alphas(trp_cage.topology, trp_cage.coords, residue) is None


def test_a_peptide_turned_by_half_is_turned_back(trp_cage, flipped, guided):
    topology = trp_cage.topology
    assert {FLIPPED, FLIPPED + 1} & set(suspects(topology, flipped))
    coords, words = mended(guided, topology, flipped)
    assert "turned round" in words[0]
    oxygen = int(topology.atom_index("O")[FLIPPED])
    assert (flipped - trp_cage.coords)[oxygen].norm() > 3
    assert (coords - trp_cage.coords)[oxygen].norm() < 1.2
    assert not {FLIPPED, FLIPPED + 1} & set(suspects(topology, coords))


def test_a_sound_model_is_left_alone(trp_cage, guided):
    assert not suspects(trp_cage.topology, trp_cage.coords)
    coords, words = mended(guided, trp_cage.topology, trp_cage.coords)
    assert words == ()
    assert torch.equal(coords, trp_cage.coords)


def test_a_prior_counts_and_has_its_own_name(trp_cage, guided):
    system, target = guided.physics, guided.target
    held = PositionRestraint(trp_cage.coords + 1, stiffness=2.0)
    both = Guided(system, target, 5.0, held)
    torch.testing.assert_close(both(trp_cage.coords), guided(trp_cage.coords) + held(trp_cage.coords))
    terms = both.terms(trp_cage.coords)
    assert len(both.names) == terms.shape[-1]
    torch.testing.assert_close(terms[both.names.index("prior")], held(trp_cage.coords))
