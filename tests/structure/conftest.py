"""Structures that the tests of this floor share."""

import pytest

from motet.io import read


@pytest.fixture(scope="session")
def trp_cage(examples):
    """One model of 1l2y, heavy atoms alone, complete."""
    structure = read(examples / "1l2y.pdb")
    return structure.model(0).protein().without_hydrogens()


@pytest.fixture(scope="session")
def lysozyme(shared):
    """1aki: 129 residues, all of the twenty kinds but none missing an atom, four disulfides."""
    return read(shared / "structures" / "1aki.pdb").protein()
