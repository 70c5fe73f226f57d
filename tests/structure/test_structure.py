"""Structure: conformations of one topology, and the short ways around it."""

import pytest
import torch

from motet.errors import TopologyMismatchError
from motet.structure import Note, Structure


def test_coordinates_must_be_as_many_as_atoms(trp_cage):
    with pytest.raises(TopologyMismatchError):
        Structure(trp_cage.topology, trp_cage.coords[:-1], trp_cage.b_factors[:-1], trp_cage.occupancies[:-1])


def test_models_are_the_batch(trp_cage):
    many = trp_cage.with_coords(torch.stack([trp_cage.coords + shift for shift in range(6)]).reshape(2, 3, -1, 3))
    assert many.n_models == 6
    assert torch.equal(many.model(4).coords, trp_cage.coords + 4)
    assert trp_cage.n_models == 1


def test_a_selection_carries_everything_along(trp_cage):
    part = trp_cage.with_notes(Note("warning", "look")).select("name CA")
    keep = torch.from_numpy(trp_cage.topology.atom_names == "CA")
    assert torch.equal(part.coords, trp_cage.coords[keep])
    assert torch.equal(part.b_factors, trp_cage.b_factors[keep])
    assert torch.equal(part.occupancies, trp_cage.occupancies[keep])
    assert part.notes[-1].text == "look"


def test_edits_leave_the_original_as_it_was(trp_cage):
    before, digest = trp_cage.coords.clone(), trp_cage.topology.digest
    trp_cage.select("backbone").completed()
    trp_cage.mutated("A:L7A")
    trp_cage.completed(hydrogens=True)
    trp_cage.concatenated(trp_cage)
    assert torch.equal(trp_cage.coords, before)
    assert trp_cage.topology.digest == digest


def test_precision_is_chosen_by_the_caller(trp_cage):
    assert trp_cage.to(torch.float64).coords.dtype == torch.float64
