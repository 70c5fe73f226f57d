"""Where an atom lies, given three others: the one step that all building repeats."""

import torch
from jaxtyping import Float
from torch import Tensor


def place(
    a: Float[Tensor, "*#batch 3"],
    b: Float[Tensor, "*#batch 3"],
    c: Float[Tensor, "*#batch 3"],
    length: Float[Tensor, "*#sizes"] | float,
    angle: Float[Tensor, "*#sizes"] | float,
    torsion: Float[Tensor, "*#sizes"] | float,
) -> Float[Tensor, "*placed 3"]:
    """The atom `length` Å from c, at `angle` to c→b and `torsion` (rad) from a about b→c (Parsons et al. 2005).

    Where a, b and c are collinear or coincide, some perpendicular frame takes the missing one's place: the length
    always holds, and nothing is NaN.
    """
    length, angle, torsion = (
        torch.as_tensor(value, dtype=c.dtype, device=c.device) for value in (length, angle, torsion)
    )
    along = unit(c - b, fallback=(1.0, 0.0, 0.0))
    normal = _normal(b - a, along)
    inward = torch.linalg.cross(normal, along)
    back = -torch.cos(angle)[..., None] * along
    side = torch.sin(angle)[..., None] * (
        torch.cos(torsion)[..., None] * inward + torch.sin(torsion)[..., None] * normal
    )
    return c + length[..., None] * (back + side)


def unit(
    vector: Float[Tensor, "*batch 3"], fallback: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Float[Tensor, "*batch 3"]:
    """The vector's direction; `fallback` where it has none."""
    norm = vector.norm(dim=-1, keepdim=True)
    exists = norm > 1e-6
    return torch.where(exists, vector / torch.where(exists, norm, 1.0), vector.new_tensor(fallback))


def torsion_of(
    a: Float[Tensor, "*batch 3"],
    b: Float[Tensor, "*batch 3"],
    c: Float[Tensor, "*batch 3"],
    d: Float[Tensor, "*batch 3"],
) -> Float[Tensor, "*batch"]:
    """Torsion about b→c, in rad; 0 where it does not exist."""
    u, v, w = b - a, c - b, d - c
    left, right = torch.linalg.cross(u, v), torch.linalg.cross(v, w)
    return torch.atan2(v.norm(dim=-1) * (u * right).sum(-1), (left * right).sum(-1))


def _normal(before: Float[Tensor, "*#batch 3"], along: Float[Tensor, "*#batch 3"]) -> Float[Tensor, "*wide 3"]:
    """Unit normal of the plane of two directions; of a plane that holds `along` where they are parallel."""
    before, along = torch.broadcast_tensors(before, along)
    cross = torch.linalg.cross(before, along)
    least = along.abs().argmin(-1, keepdim=True)
    other = torch.linalg.cross(torch.zeros_like(along).scatter(-1, least, 1.0), along)
    flat = cross.norm(dim=-1, keepdim=True) <= 1e-4 * before.norm(dim=-1, keepdim=True)
    return unit(torch.where(flat, other, cross))
