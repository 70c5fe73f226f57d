"""Distances, angles and torsions of points, finite wherever the points lie."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def distance(a: Float[Tensor, "*#batch 3"], b: Float[Tensor, "*#batch 3"]) -> Float[Tensor, "*batch"]:
    """Distance between a and b; no gradient where they coincide."""
    return (a - b).norm(dim=-1)


def angle(
    a: Float[Tensor, "*#batch 3"], b: Float[Tensor, "*#batch 3"], c: Float[Tensor, "*#batch 3"]
) -> Float[Tensor, "*batch"]:
    """Angle a-b-c at b, in radians, 0 to π.

    A straight angle has no gradient; where b coincides with a neighbour the angle reads 0, with no gradient.
    """
    u, v = torch.broadcast_tensors(a - b, c - b)
    sine, cosine = torch.linalg.cross(u, v).norm(dim=-1), (u * v).sum(-1)
    exists = u.any(-1) & v.any(-1) & ((sine > 0) | (cosine != 0))
    return torch.atan2(torch.where(exists, sine, 0.0), torch.where(exists, cosine, 1.0))


def dihedral(
    a: Float[Tensor, "*#batch 3"],
    b: Float[Tensor, "*#batch 3"],
    c: Float[Tensor, "*#batch 3"],
    d: Float[Tensor, "*#batch 3"],
) -> Float[Tensor, "*batch"]:
    """Torsion about b→c, in radians: 0 when a and d eclipse, positive clockwise (IUPAC).

    Where three neighbours are collinear the angle does not exist: it reads 0, with no gradient.
    """
    u, v, w = torch.broadcast_tensors(b - a, c - b, d - c)
    left, right = torch.linalg.cross(u, v), torch.linalg.cross(v, w)
    sine = v.norm(dim=-1) * (u * right).sum(-1)
    cosine = (left * right).sum(-1)
    exists = _bent(left, u, v) & _bent(right, v, w)
    return torch.atan2(torch.where(exists, sine, 0.0), torch.where(exists, cosine, 1.0))


def _bent(
    normal: Float[Tensor, "*batch 3"], u: Float[Tensor, "*batch 3"], v: Float[Tensor, "*batch 3"]
) -> Bool[Tensor, "*batch"]:
    """Whether u and v, with this cross product, span a plane beyond rounding."""
    straight = torch.finfo(u.dtype).eps ** 0.5
    with torch.no_grad():
        return normal.norm(dim=-1) > straight * u.norm(dim=-1) * v.norm(dim=-1)
