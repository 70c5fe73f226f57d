"""Preparation: what goes is said, what stays is complete."""

import pytest
import torch

from motet.ensemble import prepared
from motet.errors import NoProteinError
from motet.io import read


def test_a_complete_structure_stays_as_it_is(examples):
    trp_cage = read(examples / "1l2y.pdb")
    ready = prepared(trp_cage)
    assert ready.topology == trp_cage.topology
    assert torch.equal(ready.coords, trp_cage.coords)


def test_hydrogens_go_with_a_note(examples):
    with_hydrogens = read(examples / "1l2y.pdb").completed(hydrogens=True)
    ready = prepared(with_hydrogens)
    assert not ready.topology.is_hydrogen.any()
    assert any("hydrogen" in note.text and note.kind == "ignored" for note in ready.notes)


def test_missing_side_chains_are_built_with_a_note(examples):
    ready = prepared(read(examples / "1l2y.pdb").backbone())
    assert ready.n_atoms == 154
    assert any(note.kind == "repaired" for note in ready.notes)


def test_waters_go_and_ligands_stay_as_obstacles(shared):
    nasty = read(shared / "nasty/real/biotite__7gsa.cif")
    ready = prepared(nasty)
    kinds = set(ready.topology.residue_kinds.tolist())
    assert "water" not in kinds
    assert "ligand" in kinds
    assert any(note.kind == "ignored" and "water" in note.text for note in ready.notes)
    assert any(note.kind == "kept" and "obstacle" in note.text for note in ready.notes)


def test_a_structure_without_protein_is_refused(examples):
    trp_cage = read(examples / "1l2y.pdb")
    with pytest.raises(NoProteinError, match="no protein"):
        prepared(trp_cage.subset(trp_cage.mask("none")))
