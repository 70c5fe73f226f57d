import pytest
import torch

from motet.geometry import Rigid


@pytest.fixture
def motions(draw):
    a, b, c = torch.randn(3, 6, 3, generator=draw, dtype=torch.float64)
    return Rigid.from_three_points(a, b, c)


def test_composition_is_one_motion_after_the_other(motions, draw):
    points = torch.randn(6, 4, 3, generator=draw, dtype=torch.float64)
    other = Rigid(motions.rotation.flip(0), motions.translation.flip(0))
    torch.testing.assert_close((motions @ other).apply(points), motions.apply(other.apply(points)))


def test_the_inverse_undoes(motions, draw):
    points = torch.randn(6, 4, 3, generator=draw, dtype=torch.float64)
    torch.testing.assert_close(motions.inverse().apply(motions.apply(points)), points)
    nothing = motions @ motions.inverse()
    unmoved = Rigid.identity((6,), dtype=torch.float64)
    torch.testing.assert_close(nothing.rotation, unmoved.rotation)
    torch.testing.assert_close(nothing.translation, unmoved.translation)


def test_a_residue_frame_sits_at_ca_with_c_on_x_and_n_in_the_plane():
    n, ca, c = torch.tensor([[1.0, 1.4, 3.0], [1.0, 0.0, 3.0], [2.5, 0.0, 3.0]], dtype=torch.float64)
    frame = Rigid.from_three_points(n, ca, c)
    torch.testing.assert_close(frame.rotation, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(frame.translation, ca)


def test_frames_turn_with_their_points(draw, spin):
    a, b, c = torch.randn(3, 6, 3, generator=draw, dtype=torch.float64)
    here, there = Rigid.from_three_points(a, b, c), Rigid.from_three_points(a @ spin.T, b @ spin.T, c @ spin.T)
    torch.testing.assert_close(there.rotation, spin @ here.rotation)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "points",
    [
        [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [1, 1, 1], [2, 2, 2]],
        [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 1, 0]],
        [[3, 3, 3], [1, 1, 1], [2, 2, 2]],
    ],
)
def test_points_without_a_plane_still_get_a_proper_frame(points, dtype):
    points = (torch.tensor(points, dtype=dtype) / 3).requires_grad_()
    frame = Rigid.from_three_points(*points)
    torch.testing.assert_close(frame.rotation @ frame.rotation.mT, torch.eye(3, dtype=dtype))
    torch.testing.assert_close(torch.linalg.det(frame.rotation), torch.tensor(1.0, dtype=dtype))
    weight = torch.arange(9, dtype=dtype).reshape(3, 3)
    assert torch.autograd.grad((frame.rotation * weight).sum(), points)[0].isfinite().all()


def test_gradients_agree_with_finite_differences(draw):
    points = torch.randn(3, 4, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: Rigid.from_three_points(*x).inverse().rotation, points)
