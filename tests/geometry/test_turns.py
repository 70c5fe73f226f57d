"""Rotations as a group: exponential and logarithm, the shortest way, and even draws."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from motet.geometry import quaternion_of, random_rotations, rotation_of_turn, turn_of_rotation, turned_towards
from motet.geometry.rotations import rotation_of


@pytest.fixture
def draws():
    return torch.Generator().manual_seed(3)


def turns(draws, count=200, longest=math.pi - 1e-3):
    axes = torch.nn.functional.normalize(torch.randn(count, 3, generator=draws, dtype=torch.float64), dim=-1)
    return axes * torch.linspace(0, longest, count, dtype=torch.float64)[:, None]


def test_the_logarithm_undoes_the_exponential_for_every_angle(draws):
    turn = turns(draws)
    torch.testing.assert_close(turn_of_rotation(rotation_of_turn(turn)), turn, rtol=1e-9, atol=1e-9)


def test_the_exponential_is_that_of_the_matrix_of_the_cross_product(draws):
    turn = turns(draws)
    crossed = torch.linalg.cross(turn[:, None], torch.eye(3, dtype=torch.float64)[None].expand(len(turn), 3, 3)).mT
    torch.testing.assert_close(rotation_of_turn(turn), torch.linalg.matrix_exp(crossed))


@pytest.mark.parametrize("axis", [[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.0, -0.8]])
def test_half_a_turn_has_a_logarithm_that_makes_it(axis):
    half = math.pi * torch.tensor(axis, dtype=torch.float64)
    rotation = 2 * torch.outer(half, half) / math.pi**2 - torch.eye(3, dtype=torch.float64)
    turn = turn_of_rotation(rotation).requires_grad_()
    assert turn.norm().item() == pytest.approx(math.pi)
    torch.testing.assert_close(rotation_of_turn(turn), rotation, rtol=0, atol=1e-12)


def test_quaternions_give_back_their_rotations_and_have_a_real_part_that_is_not_negative(draws):
    rotations = random_rotations((500,), draws, torch.float64)
    quaternions = quaternion_of(rotations)
    assert (quaternions[:, 0] >= 0).all()
    torch.testing.assert_close(rotation_of(quaternions), rotations)


def test_gradients_agree_with_finite_differences_also_next_to_no_turn_at_all(draws):
    turn = torch.cat((turns(draws, 6, 3.0), torch.full((1, 3), 1e-5, dtype=torch.float64)))
    assert gradcheck(rotation_of_turn, turn.clone().requires_grad_())

    def there_and_back(turn):
        return turn_of_rotation(rotation_of_turn(turn))

    assert gradcheck(there_and_back, turn.clone().requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_turn_has_a_finite_gradient_both_ways(dtype):
    nothing = torch.zeros(3, dtype=dtype, requires_grad=True)
    turn_of_rotation(rotation_of_turn(nothing)).sum().backward()
    torch.testing.assert_close(nothing.grad, torch.ones(3, dtype=dtype))


def test_the_way_between_rotations_starts_at_one_ends_at_the_other_and_keeps_its_pace(draws):
    start, end = random_rotations((2, 50), draws, torch.float64)
    torch.testing.assert_close(turned_towards(start, end, torch.zeros(50, dtype=torch.float64)), start)
    torch.testing.assert_close(turned_towards(start, end, torch.ones(50, dtype=torch.float64)), end)
    whole = turn_of_rotation(start.mT @ end)
    third = turned_towards(start, end, torch.full((50,), 1 / 3, dtype=torch.float64))
    torch.testing.assert_close(turn_of_rotation(start.mT @ third), whole / 3)


def test_the_way_turns_with_its_ends(draws):
    start, end, turn = random_rotations((3, 50), draws, torch.float64)
    share = torch.rand(50, generator=draws, dtype=torch.float64)
    torch.testing.assert_close(
        turned_towards(turn @ start, turn @ end, share), turn @ turned_towards(start, end, share)
    )


def test_even_draws_have_the_known_mean_angle_and_no_preferred_direction(draws):
    rotations = random_rotations((20_000,), draws, torch.float64)
    angles = turn_of_rotation(rotations).norm(dim=-1)
    assert angles.mean().item() == pytest.approx(math.pi / 2 + 2 / math.pi, abs=0.02)  # of Haar's measure
    assert rotations.mean(0).abs().max() < 0.02


def test_the_same_seed_draws_the_same_rotations():
    first, second = (random_rotations((4,), torch.Generator().manual_seed(8)) for _ in range(2))
    assert torch.equal(first, second)
