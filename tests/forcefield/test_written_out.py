"""Functions whose derivatives are written out: first and second ones against finite differences."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from motet.forcefield.directed_pairs import DirectedPairs, meeting
from motet.forcefield.screened import screened_charges
from motet.forcefield.surface import on_surface


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def some_pairs() -> DirectedPairs:
    generator = torch.Generator().manual_seed(1)
    corners = torch.stack([torch.randperm(12, generator=generator)[:10] for _ in range(5)], dim=1)
    return DirectedPairs(corners, torch.tensor([[0.0, 1, 1, 0, 1], [1, 0, 1, 0, 1]]).double(), draws(5).abs())


def surface(angles: torch.Tensor) -> torch.Tensor:
    return on_surface(draws(2, 12, 12), torch.tensor([0, 1, 1]), angles)


def charges(squared: torch.Tensor, buried: torch.Tensor) -> torch.Tensor:
    water, inside, screening = torch.tensor([4.4, 2.1, 0.13], dtype=torch.float64)
    return screened_charges(squared, buried, water, inside, screening, 1.0)


CASES = {
    "atoms that point at each other": (lambda points: meeting(points, some_pairs()), (2.0 * draws(3, 12),)),
    "a surface over two torsions": (surface, (draws(2, 4, 3),)),
    "screened charges": (charges, (draws(6).square() * 20, torch.linspace(0, 1, 6, dtype=torch.float64))),
}
cases = pytest.mark.parametrize(("function", "inputs"), CASES.values(), ids=CASES)


@cases
def test_first_derivatives(function, inputs):
    assert gradcheck(function, tuple(one.clone().requires_grad_() for one in inputs))


@cases
def test_second_derivatives(function, inputs):
    assert gradgradcheck(function, tuple(one.clone().requires_grad_() for one in inputs))


def test_a_straight_pair_meets_head_on():
    """N at 0 with H at 1 on the line to O at 3, whose C lies beyond."""
    points = torch.tensor([[0.0, 3.0, -1.0, 4.0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=torch.float64)
    nitrogen, oxygen = torch.tensor([0]), torch.tensor([1])
    frames = torch.tensor([[0], [2], [0], [2]]), torch.tensor([[1], [3], [1], [3]])
    none = torch.zeros(1, dtype=torch.float64)
    pairs = DirectedPairs.of((nitrogen, oxygen), frames, (none, none), none + 1.0)
    squared, bend, tilt = meeting(points, pairs)
    torch.testing.assert_close(torch.cat((squared, bend, tilt)), torch.tensor([9.0, 1.0, 1.0]).double())
