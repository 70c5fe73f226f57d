"""Points and motions that the geometry tests share."""

import pytest
import torch

from motet.io import read


@pytest.fixture
def draw():
    """A seeded generator."""
    return torch.Generator().manual_seed(20)


@pytest.fixture
def spin():
    """Some rotation that favours no axis."""
    return torch.linalg.matrix_exp(torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64))


@pytest.fixture(scope="session")
def trp_cage(examples):
    """The 20 residues of 1l2y, in float64."""
    return read(examples / "1l2y.pdb").to(torch.float64)
