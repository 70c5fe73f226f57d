"""Points and motions that the geometry tests share."""

import pytest
import torch


@pytest.fixture
def draw():
    """A seeded generator."""
    return torch.Generator().manual_seed(20)


@pytest.fixture
def spin():
    """Some rotation that favours no axis."""
    return torch.linalg.matrix_exp(torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64))
