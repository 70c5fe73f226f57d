import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from motet.geometry import angle, dihedral, distance

SPIN = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]])


@given(torsion=st.floats(-3.14, 3.14), bond=st.floats(0.5, 5.0))
def test_dihedral_recovers_the_torsion_it_was_built_from(torsion, bond):
    end = [bond, math.cos(torsion), math.sin(torsion)]
    points = torch.tensor([[0, 1, 0], [0, 0, 0], [bond, 0, 0], end], dtype=torch.float64)
    assert dihedral(*points).item() == pytest.approx(torsion)


@given(bend=st.floats(0.0, math.pi), bond=st.floats(0.5, 5.0))
def test_angle_recovers_the_angle_it_was_built_from(bend, bond):
    points = torch.tensor([[1, 0, 0], [0, 0, 0], [bond * math.cos(bend), bond * math.sin(bend), 0]])
    assert angle(*points.double()).item() == pytest.approx(bend, abs=1e-6)


def test_the_two_ends_can_be_swapped(draw):
    a, b, c, d = torch.randn(4, 50, 3, generator=draw, dtype=torch.float64)
    torch.testing.assert_close(dihedral(a, b, c, d), dihedral(d, c, b, a))
    torch.testing.assert_close(angle(a, b, c), angle(c, b, a))


def test_a_mirror_turns_the_sign(draw):
    points = torch.randn(4, 50, 3, generator=draw, dtype=torch.float64)
    mirror = torch.tensor([1.0, 1, -1], dtype=torch.float64)
    torch.testing.assert_close(dihedral(*(points * mirror)), -dihedral(*points))


def test_rigid_motion_changes_nothing(draw, spin):
    points = torch.randn(4, 50, 3, generator=draw, dtype=torch.float64)
    moved = points @ spin + 7
    torch.testing.assert_close(dihedral(*moved), dihedral(*points))
    torch.testing.assert_close(angle(*moved[:3]), angle(*points[:3]))
    torch.testing.assert_close(distance(*moved[:2]), distance(*points[:2]))


@pytest.mark.parametrize(("measure", "count"), [(distance, 2), (angle, 3), (dihedral, 4)])
def test_gradients_agree_with_finite_differences(measure, count, draw):
    points = torch.randn(count, 5, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: measure(*x), points)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("end", [[3.0, 0, 0], [2.0, 1, 0], [2.0, 0, 0], [1.0, 0, 0]])
def test_collinear_atoms_read_zero_with_no_gradient(end, dtype):
    points = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], end], dtype=dtype)
    points = (points @ torch.linalg.matrix_exp(SPIN.to(dtype)) + 100 / 3).requires_grad_()
    torsion = dihedral(*points)
    assert torsion == 0
    assert not torch.autograd.grad(torsion, points)[0].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("a", "c", "reads"), [((1, 0, 0), (-2, 0, 0), math.pi), ((1, 0, 0), (3, 0, 0), 0.0)])
def test_straight_angles_are_exact_with_finite_gradient(a, c, reads, dtype):
    points = torch.tensor([a, (0, 0, 0), c], dtype=dtype, requires_grad=True)
    bend = angle(*points)
    assert bend.item() == pytest.approx(reads)
    assert torch.autograd.grad(bend, points)[0].isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_coincident_atoms_have_no_gradient(dtype):
    points = torch.ones(4, 3, dtype=dtype, requires_grad=True)
    for value in (distance(*points[:2]), angle(*points[:3]), dihedral(*points)):
        assert value == 0
        assert not torch.autograd.grad(value, points)[0].any()


def test_nothing_in_nothing_out():
    nothing = torch.zeros(0, 3)
    assert (
        dihedral(*[nothing] * 4).shape == angle(*[nothing] * 3).shape == distance(nothing, nothing).shape == (0,)
    )
