"""Vectors with x, y and z as rows: gathered, multiplied and summed faster than points of three numbers."""

import torch
from jaxtyping import Float
from torch import Tensor

TINY = 1e-12  # Å²: keeps the length of a zero vector differentiable


def dot(u: Float[Tensor, "3 *batch"], v: Float[Tensor, "3 *batch"]) -> Float[Tensor, "*batch"]:
    """Scalar product."""
    return torch.addcmul(torch.addcmul(u[0] * v[0], u[1], v[1]), u[2], v[2])


def cross(u: Float[Tensor, "3 *batch"], v: Float[Tensor, "3 *batch"]) -> Float[Tensor, "3 *batch"]:
    """Vector product."""
    return torch.linalg.cross(u, v, dim=0)


def length(u: Float[Tensor, "3 *batch"]) -> Float[Tensor, "*batch"]:
    """Length; of a zero vector 1e-6 with no gradient."""
    return (dot(u, u) + TINY).sqrt()


def unit(u: Float[Tensor, "3 *batch"]) -> Float[Tensor, "3 *batch"]:
    """Direction; a zero vector stays zero."""
    return u / length(u)
