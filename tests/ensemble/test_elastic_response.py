"""A network of springs gives way along what is soft, turns with it, and does so whichever way it lies."""

import pytest
import torch

from motet.ensemble.elastic_response import ElasticResponse
from motet.geometry import rotation_of_turn


@pytest.fixture(scope="module")
def dumbbell() -> torch.Tensor:
    """Two stiff blocks of Cα, tied at one corner."""
    grid = torch.stack(torch.meshgrid(*[torch.arange(3.0)] * 3, indexing="ij"), -1).reshape(-1, 3) * 3.8
    return torch.cat((grid, grid + torch.tensor([20.0, 0.0, 0.0]))).double()


def test_a_rotation_of_everything_turns_every_residue_by_as_much(dumbbell):
    turn = torch.tensor([0.01, -0.02, 0.015], dtype=torch.float64)
    shifts = torch.linalg.cross(turn.expand_as(dumbbell), dumbbell)[None]
    turns = ElasticResponse.of(dumbbell).turns(shifts)
    torch.testing.assert_close(turns, turn.expand_as(turns), rtol=0.02, atol=1e-4)


def test_a_pull_at_two_atoms_moves_blocks_as_wholes(dumbbell):
    forces = torch.zeros_like(dumbbell)
    forces[8, 2], forces[-1, 2] = -1.0, 1.0
    (shifts,) = ElasticResponse.of(dumbbell).shifts(forces[None])
    first, second = shifts[:27], shifts[27:]
    assert shifts.norm(dim=-1).max() == pytest.approx(1.0)
    assert (first[:, 2] * second[:, 2].mean() < 0).sum() > 20  # the other way, and not only what is pulled at
    before = torch.cdist(dumbbell[27:], dumbbell[27:])
    after = torch.cdist(dumbbell[27:] + second, dumbbell[27:] + second)
    assert (after - before).abs().max() < 0.3


def test_what_is_turned_responds_turned(dumbbell):
    rotation = rotation_of_turn(torch.tensor([0.4, 1.1, -0.7], dtype=torch.float64))
    forces = torch.randn(2, *dumbbell.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plain, turned = ElasticResponse.of(dumbbell), ElasticResponse.of(dumbbell @ rotation.T)
    shifts = turned.shifts(forces @ rotation.T)
    torch.testing.assert_close(shifts, plain.shifts(forces) @ rotation.T)
    torch.testing.assert_close(turned.turns(shifts), plain.turns(plain.shifts(forces)) @ rotation.T)


def test_no_force_moves_nothing(dumbbell):
    assert not ElasticResponse.of(dumbbell).shifts(torch.zeros(1, *dumbbell.shape)).any()
