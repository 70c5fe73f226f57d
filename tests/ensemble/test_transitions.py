"""What moves between two states is what was moved."""

import pytest
import torch

from motet.ensemble import Ensemble, analyse
from motet.geometry import backbone_from_torsions
from motet.structure import structure_from_backbone


@pytest.fixture(scope="module")
def switching():
    """Sixty conformations of forty alanines, all helix; in the last twenty a stretch of it is a strand."""
    random = torch.Generator().manual_seed(6)
    phi, psi = (
        torch.full((60, 40), angle, dtype=torch.float64)
        + 0.03 * torch.randn(60, 40, generator=random, dtype=torch.float64)
        for angle in (-1.08, -0.75)
    )
    phi[40:, 16:24], psi[40:, 16:24] = phi[40:, 16:24] - 1.0, psi[40:, 16:24] + 3.0
    structure = structure_from_backbone("A" * 40, backbone_from_torsions(phi, psi))
    return analyse(Ensemble.of_models(structure.to(torch.float32), 300.0))


def test_the_residues_that_switch_are_those_that_were_switched(switching):
    assert [len(state.members) for state in switching.states.states] == [40, 20]
    (transition,) = switching.transitions
    assert set(transition.turned) == set(range(16, 24))
    switched = {switch.residue for switch in transition.switches}
    assert set(range(16, 24)) <= switched <= set(range(11, 29))
    assert {(switch.before, switch.after) for switch in transition.switches} == {("H", "C")}


def test_contacts_of_the_helix_that_melts_are_lost(switching):
    (transition,) = switching.transitions
    lost = {tuple(pair) for pair in transition.lost.tolist()}
    assert (17, 21) in lost
    assert all(b - a >= 4 for a, b in lost)
    assert not {tuple(pair) for pair in transition.gained.tolist()} & lost


def test_the_two_ends_move_as_rigid_groups_about_the_stretch(switching):
    groups = switching.transitions[0].groups
    ends = {int(groups.labels[3]), int(groups.labels[36])}
    assert ends == {0, 1}
    assert groups.hinges
    assert switching.transitions[0].rmsd > 3


def test_one_state_has_no_transition(make_ensemble, beads):
    random = torch.Generator().manual_seed(5)
    coords = beads.coords + 0.2 * torch.randn(60, 12, 3, generator=random, dtype=torch.float64)
    assert not analyse(make_ensemble(coords)).transitions


def test_points_without_a_backbone_have_groups_but_no_secondary_structure(make_ensemble, two_wells):
    (transition,) = analyse(make_ensemble(two_wells[0])).transitions
    assert not transition.switches
    assert not transition.turned
    assert transition.rmsd > 1
