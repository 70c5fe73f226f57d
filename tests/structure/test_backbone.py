"""A structure from a sequence and a backbone trace."""

import pytest
import torch

from motet.errors import ConfigError
from motet.structure import structure_from_backbone

TRACE = torch.tensor(  # Å; two residues of 1ubq
    [
        [[27.340, 24.430, 2.614], [26.266, 25.413, 2.842], [26.913, 26.639, 3.531], [27.886, 26.463, 4.263]],
        [[26.335, 27.770, 3.258], [26.850, 29.021, 3.898], [26.100, 29.253, 5.202], [24.865, 29.024, 5.330]],
    ]
)


def test_a_trace_becomes_a_bonded_chain():
    structure = structure_from_backbone("MQ", TRACE)
    assert structure.topology.residue_names.tolist() == ["MET", "GLN"]
    assert structure.topology.follows.tolist() == [False, True]
    assert torch.equal(structure.coords, TRACE.reshape(8, 3))


def test_many_conformations_are_one_structure():
    assert structure_from_backbone("MQ", TRACE.expand(5, 2, 4, 3)).n_models == 5


def test_a_gap_in_the_trace_is_a_break():
    apart = TRACE.clone()
    apart[1] += 10
    assert structure_from_backbone("MQ", apart).topology.follows.tolist() == [False, False]


def test_unknown_letters_are_unknown_residues():
    assert structure_from_backbone("Mx", TRACE).topology.residue_names.tolist() == ["MET", "UNK"]


def test_a_sequence_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="3 residues"):
        structure_from_backbone("MQI", TRACE)
