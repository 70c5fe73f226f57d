"""Atoms from bond lengths, angles and torsions: a scan over the tree in a logarithmic number of steps."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from .tree import Tree


def place(
    tree: Tree,
    lengths: Float[Tensor, "*batch atoms"],
    angles: Float[Tensor, "*batch atoms"],
    torsions: Float[Tensor, "*batch atoms"],
    rotation: Float[Tensor, "*batch roots 3 3"],
    translation: Float[Tensor, "*batch roots 3"],
) -> Float[Tensor, "*batch atoms 3"]:
    """Atoms, in Å, from the whole torsion of each (not the one relative to its leader) and the frame of each root.

    Each atom carries a frame: x along the bond from its parent, y towards its grandparent. To the frame of its
    parent it is one turn about x by the torsion, one tilt about z by the angle, and one shift by the length; all
    frames follow by doubling, T[i] ← T[ancestor[i]] T[i], ancestor ← ancestor[ancestor].
    """
    return _Place.apply(lengths, angles, torsions, rotation, translation, tree)


class _Place(torch.autograd.Function):
    """The scan, and a gradient that needs no scan: turning a bond turns its subtree, which is one run of atoms."""

    @staticmethod
    def forward(ctx, lengths, angles, torsions, rotation, translation, tree):
        frames = _scan(tree, _steps(tree, lengths, angles, torsions, rotation, translation))
        ctx.tree = tree
        ctx.save_for_backward(frames)
        return frames[..., 3].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):  # pyright: ignore[reportIncompatibleMethodOverride]
        tree: Tree = ctx.tree
        (frames,) = ctx.saved_tensors
        dtype, real = frames.dtype, tree.parent < tree.n_atoms
        frames, gradient = frames.double(), gradients[0].double()  # differences of long sums follow
        axes, coords = frames[..., :3], frames[..., 3]
        push = _subtree_sums(tree, torch.cat((gradient, torch.linalg.cross(coords, gradient)), dim=-1))
        force, torque = push[..., :3], push[..., 3:]
        parent = torch.where(real, tree.parent, 0)
        torque = torque - torch.linalg.cross(coords[..., parent, :], force)
        by_length = (axes[..., 0] * force).sum(-1)
        by_angle = -(axes[..., 2] * torque).sum(-1)
        by_torsion = (axes[..., parent, :, 0] * torque).sum(-1)
        internal = [torch.where(real, value, 0.0).to(dtype) for value in (by_length, by_angle, by_torsion)]
        by_translation = force[..., tree.roots, :]
        arm = coords - coords[..., tree.roots[tree.tree_of_atom], :]
        outer = _subtree_sums(tree, (gradient.unsqueeze(-1) * arm.unsqueeze(-2)).flatten(-2))
        by_rotation = outer[..., tree.roots, :].unflatten(-1, (3, 3)) @ axes[..., tree.roots, :, :]
        return *internal, by_rotation.to(dtype), by_translation.to(dtype), None


def _steps(
    tree: Tree, lengths: Tensor, angles: Tensor, torsions: Tensor, rotation: Tensor, translation: Tensor
) -> Float[Tensor, "*batch atoms 3 4"]:
    """Frame of each atom, axes and origin, seen from its parent's; that of a root as it is."""
    ahead, aside = -angles.cos(), angles.sin()
    cosine, sine = torsions.cos(), torsions.sin()
    x, y, z = ahead, cosine * aside, sine * aside
    rows = (
        torch.stack((x, -aside, torch.zeros_like(x), x * lengths), dim=-1),
        torch.stack((y, cosine * ahead, -sine, y * lengths), dim=-1),
        torch.stack((z, sine * ahead, cosine, z * lengths), dim=-1),
    )
    steps = torch.stack(rows, dim=-2)
    steps[..., tree.roots, :, :] = torch.cat((rotation, translation.unsqueeze(-1)), dim=-1)
    return steps


def _scan(tree: Tree, steps: Float[Tensor, "*batch atoms 3 4"]) -> Float[Tensor, "*batch atoms 3 4"]:
    """Frames in space from frames seen from the parent."""
    identity = torch.eye(3, 4, dtype=steps.dtype, device=steps.device).expand(*steps.shape[:-3], 1, 3, 4)
    frames = torch.cat((steps, identity), dim=-3)
    n = tree.n_atoms
    for ancestor in tree.ancestors:
        above = frames.index_select(-3, ancestor)
        below = above[..., :3] @ frames[..., :n, :, :]
        below[..., 3] += above[..., 3]
        frames[..., :n, :, :] = below
    return frames[..., :n, :, :]


def _subtree_sums(tree: Tree, values: Float[Tensor, "*batch atoms k"]) -> Float[Tensor, "*batch atoms k"]:
    """Sum over each atom and all below it."""
    total = values.index_select(-2, tree.preorder).cumsum(-2)
    total = torch.nn.functional.pad(total, (0, 0, 1, 0))
    return total.index_select(-2, tree.last) - total.index_select(-2, tree.first)
