"""Vectors with x, y and z as rows: gathered, multiplied and summed faster than points of three numbers."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .derivatives import slope_as_graph

TINY = 1e-12  # Å²: keeps the length of a zero vector differentiable


def dot(u: Float[Tensor, "3 *batch"], v: Float[Tensor, "3 *batch"]) -> Float[Tensor, "*batch"]:
    """Scalar product."""
    return (u * v).sum(0)


def cross(u: Float[Tensor, "3 *batch"], v: Float[Tensor, "3 *batch"]) -> Float[Tensor, "3 *batch"]:
    """Vector product."""
    return torch.linalg.cross(u, v, dim=0)


def unit(u: Float[Tensor, "3 *batch"]) -> Float[Tensor, "3 *batch"]:
    """Direction; a zero vector stays zero."""
    return u * (dot(u, u) + TINY).rsqrt()


def torsion(bonds: Float[Tensor, "3 *batch 3"]) -> Float[Tensor, "*batch"]:
    """Angle in rad between the planes of the first two and the last two of three bonds in a row, as `dihedral`.

    Where two bonds are parallel it is arbitrary, with a finite gradient.
    """
    angle = _Torsion.apply(bonds)
    assert isinstance(angle, Tensor)
    return angle


def _normals(bonds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The two planes' normals and the sine and cosine, times their lengths."""
    u, v, w = bonds.unbind(-1)
    left, right = cross(u, v), cross(v, w)
    sine = (dot(v, v) + TINY).sqrt() * dot(u, right)
    return left, right, torch.atan2(sine, dot(left, right) + TINY)


class _Torsion(torch.autograd.Function):
    """Gradients after Blondel and Karplus, J. Comput. Chem. 17 (1996) 1132."""

    @staticmethod
    def forward(ctx: Any, bonds: Tensor) -> Tensor:
        left, right, angle = _normals(bonds)
        ctx.save_for_backward(bonds, left, right)
        return angle

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> Tensor:
        bonds, left, right = ctx.saved_tensors
        if torch.is_grad_enabled():
            return slope_as_graph(lambda b: _normals(b)[2:], (bonds,), pulls)
        u, v, w = bonds.unbind(-1)
        squared = dot(v, v) + TINY
        long = squared.sqrt() * pulls[0]
        at_start = left * (long / (dot(left, left) + FLAT))
        at_end = right * (long / (dot(right, right) + FLAT))
        middle = at_start * (dot(u, v) / squared) + at_end * (dot(w, v) / squared)
        return torch.stack((at_start, -middle, at_end), dim=-1)


FLAT = 1e-8  # Å⁴: how much of a plane two bonds must span for their torsion to have its full gradient
