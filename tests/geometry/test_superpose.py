import pytest
import torch
from scipy.spatial.transform import Rotation
from torch.autograd import gradcheck

from motet.errors import NonFiniteError
from motet.geometry import Rigid, pairwise_rmsd, rmsd, superpose, superposed, superposed_to_mean


def noise(draw, *shape, scale=1.0):
    return scale * torch.randn(*shape, generator=draw, dtype=torch.float64)


def test_the_rotation_is_scipys(draw):
    mobile, target, weights = noise(draw, 20, 3), noise(draw, 20, 3), noise(draw, 20).square()
    share = (weights / weights.sum())[:, None]
    centred = [(share * side).sum(0) for side in (mobile, target)]
    expected, _ = Rotation.align_vectors(target - centred[1], mobile - centred[0], weights=weights.numpy())
    motion = superpose(mobile, target, weights)
    torch.testing.assert_close(motion.rotation, torch.from_numpy(expected.as_matrix()))
    torch.testing.assert_close(motion.apply(centred[0][None]), centred[1][None])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_moved_copy_comes_back(draw, spin, dtype):
    target = noise(draw, 5, 30, 3, scale=10)
    mobile = (Rigid(spin, torch.tensor([30.0, -5, 9], dtype=torch.float64)).apply(target)).to(dtype)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(superposed(mobile, target.to(dtype)), target.to(dtype), atol=tolerance, rtol=0)
    assert rmsd(mobile, target.to(dtype)).max() < tolerance


def test_a_mirror_image_is_not_turned_inside_out(draw):
    target = noise(draw, 30, 3)
    mirrored = target * torch.tensor([1.0, 1, -1], dtype=torch.float64)
    assert torch.linalg.det(superpose(mirrored, target).rotation).item() == pytest.approx(1)
    assert rmsd(mirrored, target) > 0.1


def test_no_motion_near_the_best_is_better(draw):
    mobile, target = noise(draw, 12, 3), noise(draw, 12, 3)
    best = rmsd(mobile, target)
    nudges = torch.linalg.matrix_exp(
        torch.linalg.cross(noise(draw, 200, 1, 3, scale=0.2), torch.eye(3)[None].double())
    )
    moved = Rigid(nudges, noise(draw, 200, 3, scale=0.1)).apply(superposed(mobile, target))
    assert (rmsd(moved, target, fit=False) >= best).all()


def test_weights_pick_the_atoms_that_count(draw):
    mobile, target = noise(draw, 20, 3), noise(draw, 20, 3)
    weights = torch.cat((torch.ones(8), torch.zeros(12))).double()
    torch.testing.assert_close(
        superpose(mobile, target, weights).rotation, superpose(mobile[:8], target[:8]).rotation
    )
    torch.testing.assert_close(rmsd(mobile, target, weights), rmsd(mobile[:8], target[:8]))


def test_rigid_motion_of_either_side_changes_no_rmsd(draw, spin):
    a, b = noise(draw, 4, 20, 3), noise(draw, 20, 3)
    torch.testing.assert_close(rmsd(a @ spin + 7, b), rmsd(a, b))
    torch.testing.assert_close(rmsd(a, b @ spin - 3), rmsd(a, b))
    torch.testing.assert_close(rmsd(b.expand_as(a), a), rmsd(a, b))


def test_a_batch_equals_a_loop(draw):
    a, b = noise(draw, 4, 20, 3), noise(draw, 4, 20, 3)
    torch.testing.assert_close(
        superposed(a, b), torch.stack([superposed(x, y) for x, y in zip(a, b, strict=True)])
    )
    torch.testing.assert_close(rmsd(a, b), torch.stack([rmsd(x, y) for x, y in zip(a, b, strict=True)]))


def test_gradients_agree_with_finite_differences(draw):
    a = noise(draw, 2, 6, 3).requires_grad_()
    b = noise(draw, 2, 6, 3).requires_grad_()
    weights = noise(draw, 6).square().requires_grad_()
    assert gradcheck(rmsd, (a, b))
    assert gradcheck(lambda x, y: rmsd(x, y, fit=False), (a, b))
    assert gradcheck(superposed, (a, b, weights))


def test_gradients_survive_equal_singular_values():
    """The octahedron's covariance with itself is a multiple of the identity: the decomposition is free to turn."""
    target = torch.cat((torch.eye(3), -torch.eye(3))).double()
    mobile = target.clone().requires_grad_()
    weight = torch.arange(18, dtype=torch.float64).reshape(6, 3)
    assert gradcheck(lambda x: (superposed(x, target) * weight).sum(), mobile)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_structures_have_zero_rmsd_and_no_gradient(draw, dtype):
    a = (noise(draw, 3, 20, 3, scale=10) + 30).to(dtype).requires_grad_()
    for value in (rmsd(a, a.detach()), rmsd(a, a.detach(), fit=False)):
        assert not value.any()
        assert not torch.autograd.grad(value.sum(), a)[0].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", ["point", "line", "none", "one"])
def test_degenerate_points_are_finite(shape, dtype, draw):
    a, b = torch.randn(2, 5, 3, generator=draw, dtype=dtype)
    line = torch.arange(5, dtype=dtype)[:, None] * torch.tensor([1.0, 2, 3], dtype=dtype)
    a = {"point": torch.ones_like(a), "line": line, "none": a[:0], "one": a[:1]}[shape].clone().requires_grad_()
    b = b[: len(a)]
    motion = superpose(a, b)
    torch.testing.assert_close(motion.rotation @ motion.rotation.mT, torch.eye(3, dtype=dtype))
    if len(a):
        gradient = torch.autograd.grad(superposed(a, b).square().sum() + rmsd(a, b), a)[0]
        assert gradient.isfinite().all()


def test_atoms_that_are_nowhere_are_refused():
    with pytest.raises(NonFiniteError):
        superpose(torch.full((4, 3), torch.nan), torch.zeros(4, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_pair_at_once_equals_one_by_one(draw, dtype):
    coords = (noise(draw, 1, 40, 3, scale=10) + noise(draw, 150, 40, 3) + 5).to(dtype)
    table = pairwise_rmsd(coords)
    expected = torch.stack([rmsd(coords, one) for one in coords])
    torch.testing.assert_close(table, expected, atol=2e-5 if dtype == torch.float32 else 1e-9, rtol=0)
    assert torch.equal(table, table.T)
    assert not table.diagonal().any()


def test_every_pair_counts_mirror_images_as_different(draw):
    coords = noise(draw, 1, 20, 3) * torch.tensor([[[1.0, 1, 1]], [[1, 1, -1]]], dtype=torch.float64)
    torch.testing.assert_close(pairwise_rmsd(coords)[0, 1], rmsd(coords[0], coords[1]))


def test_every_pair_knows_weights_and_gradients(draw):
    coords, weights = noise(draw, 5, 8, 3).requires_grad_(), noise(draw, 8).square()
    expected = torch.stack([rmsd(coords, one, weights) for one in coords])
    torch.testing.assert_close(pairwise_rmsd(coords, weights), expected)
    assert gradcheck(lambda x: pairwise_rmsd(x, weights), coords)


def test_every_pair_of_degenerate_conformations_is_finite(draw):
    line = torch.arange(5, dtype=torch.float64)[:, None] * torch.tensor([1.0, 2, 3], dtype=torch.float64)
    coords = torch.stack((line, 2 * line, torch.zeros_like(line), noise(draw, 5, 3))).requires_grad_()
    table = pairwise_rmsd(coords)
    expected = torch.stack([rmsd(coords, one) for one in coords])
    torch.testing.assert_close(table, expected, atol=1e-6, rtol=0)
    assert torch.autograd.grad(table.sum(), coords)[0].isfinite().all()
    assert pairwise_rmsd(coords[:0]).shape == (0, 0)


def test_superposed_to_the_mean_leaves_only_what_moves(draw, spin):
    shape = noise(draw, 20, 3, scale=10)
    frames = shape + noise(draw, 30, 20, 3, scale=0.1)
    turns = torch.linalg.matrix_exp(torch.linalg.cross(noise(draw, 30, 1, 3), torch.eye(3)[None].double()))
    moved, mean = superposed_to_mean(Rigid(turns, noise(draw, 30, 3, scale=20)).apply(frames))
    assert rmsd(mean, frames.mean(0)) < 0.01
    torch.testing.assert_close(moved.mean(0), mean)
    assert rmsd(moved, mean, fit=False).max() < 0.3
    torch.testing.assert_close(rmsd(moved, mean), rmsd(moved, mean, fit=False), atol=1e-3, rtol=0)


def test_the_mean_follows_the_weights_of_the_frames(draw):
    a, b = noise(draw, 2, 20, 3)
    _, mean = superposed_to_mean(torch.stack((a, b)), frame_weights=torch.tensor([3.0, 0.0]).double())
    assert rmsd(mean, a) < 1e-6
