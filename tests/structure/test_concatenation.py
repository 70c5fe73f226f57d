"""Several structures as one."""

import pytest
import torch

from motet.errors import ConfigError
from motet.structure import concatenate


def test_atoms_residues_chains_and_bonds_add_up(trp_cage):
    three = trp_cage.concatenated(trp_cage, trp_cage)
    assert three.n_atoms == 3 * trp_cage.n_atoms
    assert three.topology.chain_ids.tolist() == ["A", "B", "C"]
    assert three.topology.sequence("C") == trp_cage.topology.sequence("A")
    assert len(three.topology.bonds) == 3 * len(trp_cage.topology.bonds)
    assert len([note for note in three.notes if "is now" in note.text]) == 2


def test_each_part_can_be_taken_out_again(trp_cage):
    pair = trp_cage.concatenated(trp_cage)
    assert pair.chain("A").topology == trp_cage.topology
    assert (pair.chain("B").topology.bonds == trp_cage.topology.bonds).all()
    assert torch.equal(pair.chain("B").coords, trp_cage.coords)


def test_one_conformation_joins_many(trp_cage):
    many = trp_cage.with_coords(trp_cage.coords.expand(4, -1, 3))
    assert concatenate(many, trp_cage).coords.shape == (4, 2 * trp_cage.n_atoms, 3)
    with pytest.raises(ConfigError, match="do not fit"):
        concatenate(many, trp_cage.with_coords(trp_cage.coords.expand(3, -1, 3)))


def test_one_alone_is_itself_and_none_is_refused(trp_cage):
    assert concatenate(trp_cage).topology == trp_cage.topology
    with pytest.raises(ConfigError):
        concatenate()


def test_a_name_that_comes_later_is_not_given_away(trp_cage):
    pair = trp_cage.concatenated(trp_cage)
    assert concatenate(trp_cage, pair).topology.chain_ids.tolist() == ["A", "C", "B"]


def test_there_are_names_for_many_chains(trp_cage):
    glycine = trp_cage.select("residues 10")
    chains = concatenate(*[glycine] * 70).topology.chain_ids.tolist()
    assert len(set(chains)) == 70
    assert chains[61:63] == ["9", "AA"]
