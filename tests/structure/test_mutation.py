"""Mutations: what stays, what is built, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.chem import RESIDUES, STANDARD
from motet.errors import MutationError
from motet.structure import parse_mutation


def names_of(structure, row):
    first, last = structure.topology.first_atoms[row : row + 2]
    return set(structure.topology.atom_names[first:last].tolist())


def places(structure, row):
    first, last = structure.topology.first_atoms[row : row + 2]
    return {
        str(structure.topology.atom_names[atom]): structure.coords[..., atom, :] for atom in range(first, last)
    }


@pytest.mark.parametrize("new", [RESIDUES[name].letter for name in STANDARD])
def test_a_residue_becomes_any_other(trp_cage, new):
    mutant = trp_cage.mutated(f"A:L7{new}")
    (name,) = (name for name in STANDARD if RESIDUES[name].letter == new)
    assert mutant.topology.residue_names[6] == name
    assert names_of(mutant, 6) == set(RESIDUES[name].heavy_names)
    other = mutant.topology.residue_of_atom != 6
    before = trp_cage.topology.residue_of_atom != 6
    assert torch.equal(mutant.coords[torch.from_numpy(other)], trp_cage.coords[torch.from_numpy(before)])
    i, j = torch.from_numpy(mutant.topology.bonds.copy()).unbind(-1)
    assert (mutant.coords[i] - mutant.coords[j]).norm(dim=-1).max() < 1.9
    assert mutant.topology.sequence("A")[6] == new


def test_there_and_back_keeps_what_both_share(trp_cage):
    back = trp_cage.mutated("A:L7A").mutated("A:A7L")
    assert back.topology == trp_cage.topology
    for name, place in places(trp_cage, 6).items():
        apart = (places(back, 6)[name] - place).norm()
        assert apart == 0 if name in ("N", "CA", "C", "O", "CB") else apart < 4


@pytest.mark.parametrize(
    ("mutation", "row", "kept"),
    [
        ("Y3F", 2, {"CG", "CD1", "CD2", "CE1", "CE2", "CZ"}),
        ("K8R", 7, {"CG", "CD"}),
        ("Q5E", 4, {"CG", "CD", "OE1"}),
        ("D9N", 8, {"CG", "OD1"}),
        ("W6F", 5, {"CG"}),
    ],
)
def test_side_chain_atoms_that_both_residues_have_stay(trp_cage, mutation, row, kept):
    before, after = places(trp_cage, row), places(trp_cage.mutated(mutation), row)
    for name in kept:
        assert torch.equal(before[name], after[name])


def test_the_hand_of_a_beta_carbon_is_the_new_residue_s(lysozyme):
    row = int(np.flatnonzero(lysozyme.topology.residue_names == "VAL")[0])
    number = lysozyme.topology.residue_numbers[row]
    mutant = lysozyme.mutated(f"A:V{number}I")
    atoms = ("CB", "CA", "CG1", "CG2")
    cb, *rest = (places(mutant, row)[name] for name in atoms)
    ideal = RESIDUES["ILE"].ideal(atoms)
    hand = torch.linalg.det(torch.stack([place - cb for place in rest]).double())
    assert hand.sign().item() == np.sign(np.linalg.det(ideal[1:] - ideal[0]))


def test_several_at_once_are_the_same_as_one_by_one_where_they_do_not_meet(lysozyme):
    both = lysozyme.mutated("A:K1A", "A:W62G")
    assert both.topology == lysozyme.mutated("A:K1A").mutated("A:W62G").topology


def test_hydrogens_follow_the_mutation(trp_cage):
    full = trp_cage.completed(hydrogens=True)
    mutant = full.mutated("A:L7A")
    assert names_of(mutant, 6) == {"N", "CA", "C", "O", "CB", "H", "HA", "HB1", "HB2", "HB3"}
    assert not trp_cage.mutated("A:L7A").topology.is_hydrogen.any()


def test_a_cysteine_left_alone_gets_its_thiol_back(lysozyme):
    full = lysozyme.completed(hydrogens=True)
    mutant = full.mutated("A:C6S")
    rows = mutant.topology.residue_names == "CYS"
    assert (mutant.topology.atom_index("HG")[rows] >= 0).sum() == 1


def test_every_model_is_mutated(trp_cage):
    models = torch.stack([trp_cage.coords, trp_cage.coords * 1.01])
    mutant = trp_cage.with_coords(models).mutated("A:G10W")
    assert mutant.coords.shape == (2, mutant.n_atoms, 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A:V7A", "A:LEU7 is not VAL"),
        ("A:L99A", "no protein residue 99"),
        ("B:L7A", "no chain B"),
        ("A:L7B", "B stands for none"),
        ("A:L7aA", "no protein residue 7a"),
        ("L7", "cannot be read"),
        ("", "cannot be read"),
        ("A:7L", "cannot be read"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(trp_cage, text, reason):
    with pytest.raises(MutationError, match=reason):
        trp_cage.mutated(text)


def test_one_residue_cannot_change_twice(trp_cage):
    with pytest.raises(MutationError, match="same residue"):
        trp_cage.mutated("A:L7A", "L7V")


def test_the_chain_must_be_named_where_there_are_two(trp_cage):
    pair = trp_cage.concatenated(trp_cage)
    with pytest.raises(MutationError, match="which chain of A, B"):
        pair.mutated("L7A")
    assert pair.mutated("B:L7A").topology.sequence("B")[6] == "A"


def test_insertion_codes_are_part_of_the_number(trp_cage):
    codes = trp_cage.topology.insertion_codes.astype("U1")
    codes[6] = "A"
    numbers = trp_cage.topology.residue_numbers.copy()
    numbers[6] = 6
    topology = replace(trp_cage.topology, insertion_codes=codes, residue_numbers=numbers)
    assert parse_mutation("A:L6aG", topology).residue == 6
    assert parse_mutation("A:L6AG", topology).residue == 6
    assert parse_mutation("A:W6G", topology).residue == 5


def test_negative_numbers_are_read(trp_cage):
    topology = replace(trp_cage.topology, residue_numbers=trp_cage.topology.residue_numbers - 10)
    assert parse_mutation("A:L-3A", topology).residue == 6
