"""A shaken chain stays one chain; a gap stays a gap."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.io import read
from motet.structure import with_peptides_joined


@pytest.fixture(scope="module")
def trp_cage(examples):
    return read(examples / "1l2y.pdb").model(0)


def pulled(structure, residue: int, far: float):
    """Everything from a residue on moved away, its bond to the residue before lost as by a reader."""
    topology = structure.topology
    later = torch.from_numpy(topology.residue_of_atom >= residue)
    carbon, nitrogen = int(topology.atom_index("C")[residue - 1]), int(topology.atom_index("N")[residue])
    bond = structure.coords[nitrogen] - structure.coords[carbon]
    coords = structure.coords + later[:, None] * bond / bond.norm() * far
    lost = (topology.bonds == sorted((carbon, nitrogen))).all(-1)
    return replace(structure, coords=coords, topology=replace(topology, bonds=topology.bonds[~lost]))


def test_a_stretched_peptide_bond_is_a_bond(trp_cage):
    loose = pulled(trp_cage, 7, 1.5)
    assert not loose.topology.follows[7]
    joined = with_peptides_joined(loose)
    assert joined.topology == trp_cage.topology
    assert np.array_equal(joined.topology.bonds, trp_cage.topology.bonds)
    assert "after A:LEU7" in joined.notes[-1].text


def test_a_gap_stays_a_gap(trp_cage):
    far = pulled(trp_cage, 7, 4.0)
    assert with_peptides_joined(far) is far
    loose = pulled(trp_cage, 7, 1.5)
    numbers = loose.topology.residue_numbers.copy()
    numbers[7:] += 1
    missing = replace(loose, topology=replace(loose.topology, residue_numbers=numbers))
    assert with_peptides_joined(missing) is missing


def test_a_whole_chain_is_left_alone(trp_cage):
    assert with_peptides_joined(trp_cage) is trp_cage
