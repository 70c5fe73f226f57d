"""Topology: what it says of its residues, and what is left when atoms go."""

from dataclasses import fields, replace

import numpy as np
import pytest

from motet.chem import CHIS, parent_of
from motet.errors import SelectionError
from motet.structure import Topology, concatenate

TRP_CAGE = "NLYIQWLKDGGPSSGRPPPS"


def test_the_sequence_is_one_letter_a_residue(trp_cage, lysozyme):
    assert trp_cage.topology.sequence("A") == TRP_CAGE
    assert lysozyme.topology.sequence("A").startswith(
        "KVFGRCELAAAMKRHGLDNYRGYSLGNWVCAAKFESNFNTQATNRNTDGSTDYGILQINSRWW"
    )
    with pytest.raises(SelectionError, match="chain Z"):
        trp_cage.topology.sequence("Z")


def test_modified_residues_read_as_their_parent_and_unknown_ones_as_x(trp_cage):
    names = trp_cage.topology.residue_names.copy()
    names[:3] = ["MSE", "SEP", "XYZ"]
    assert replace(trp_cage.topology, residue_names=names).sequence("A") == "MSX" + TRP_CAGE[3:]


def test_every_residue_of_a_whole_chain_follows_the_one_before(trp_cage):
    assert trp_cage.topology.follows.tolist() == [False] + [True] * 19


def test_nothing_follows_across_a_gap_or_from_another_chain(trp_cage):
    gap = trp_cage.select("not residues 10").topology
    assert np.flatnonzero(~gap.follows).tolist() == [0, 9]
    pair = concatenate(trp_cage, trp_cage).topology
    assert np.flatnonzero(~pair.follows).tolist() == [0, 20]


def test_follows_agrees_with_the_bonds_one_by_one(lysozyme):
    topology = lysozyme.topology
    bonded = {tuple(pair) for pair in topology.bonds.tolist()}
    carbon, nitrogen = topology.atom_index("C"), topology.atom_index("N")
    expected = [
        row > 0 and (min(carbon[row - 1], nitrogen[row]), max(carbon[row - 1], nitrogen[row])) in bonded
        for row in range(topology.n_residues)
    ]
    assert topology.follows.tolist() == expected


def test_the_backbone_index_points_at_its_atoms(trp_cage):
    topology = trp_cage.topology
    assert (topology.atom_names[topology.backbone] == ["N", "CA", "C", "O"]).all()
    lacking = trp_cage.select("not (residues 3 and name CA)").topology
    assert np.argwhere(lacking.backbone < 0).tolist() == [[2, 1]]


def test_chi_atoms_are_those_of_the_table(lysozyme):
    topology = lysozyme.topology
    for row in range(topology.n_residues):
        chis = CHIS.get(str(topology.residue_names[row]), ())
        for number in range(4):
            index = topology.chi_atoms[row, number]
            expected = chis[number].atoms if number < len(chis) else None
            assert (tuple(topology.atom_names[index]) if (index >= 0).all() else None) == expected
            assert (index >= 0).all() or (index == -1).all()


def test_a_modified_residue_has_its_parent_s_chis(trp_cage):
    names = trp_cage.topology.residue_names.copy()
    serines = np.flatnonzero(names == "SER")
    names[serines] = "SEP"
    topology = replace(trp_cage.topology, residue_names=names)
    assert (topology.chi_atoms == trp_cage.topology.chi_atoms).all()
    assert parent_of("SEP") == "SER"


def test_a_chi_with_a_missing_atom_is_absent(trp_cage):
    lacking = trp_cage.select("not (residues 2 and name CG)").topology
    assert (lacking.chi_atoms[1] == -1).all()


def test_equal_content_is_equal_and_hashes_alike(trp_cage):
    topology = trp_cage.topology
    copy = Topology(**{field.name: getattr(topology, field.name).copy() for field in fields(topology)})
    assert copy == topology
    assert hash(copy) == hash(topology)
    assert len({copy, topology}) == 1
    numbers = topology.residue_numbers + 1
    assert replace(topology, residue_numbers=numbers) != topology
    assert topology != "a topology"


def test_arrays_cannot_be_written(trp_cage):
    with pytest.raises(ValueError, match="read-only"):
        trp_cage.topology.atom_names[0] = "X"


def test_a_subset_keeps_bonds_between_kept_atoms_and_drops_empty_residues_and_chains(trp_cage):
    pair = concatenate(trp_cage, trp_cage)
    part = pair.select("chain B and residues 5-8").topology
    assert part.chain_ids.tolist() == ["B"]
    assert part.sequence("B") == TRP_CAGE[4:8]
    whole = trp_cage.select("residues 5-8").topology
    assert (part.bonds == whole.bonds).all()


def test_the_subset_of_all_is_the_whole_and_of_none_is_empty(trp_cage):
    topology = trp_cage.topology
    assert topology.subset(np.ones(topology.n_atoms, dtype=bool)) == topology
    empty = topology.subset(np.zeros(topology.n_atoms, dtype=bool))
    assert (empty.n_atoms, empty.n_residues, len(empty.chain_ids), len(empty.bonds)) == (0, 0, 0, 0)
    assert empty.backbone.shape == (0, 4)
    assert empty.follows.shape == (0,)
    assert empty.chi_atoms.shape == (0, 4, 4)


def test_labels_are_what_a_person_says(trp_cage):
    assert trp_cage.topology.residue_label(1) == "A:LEU2"
    assert trp_cage.topology.atom_label(0) == "A:ASN1/N"
