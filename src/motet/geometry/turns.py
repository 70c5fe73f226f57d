"""The group of rotations: turns as vectors, the shortest way between two rotations, and rotations drawn evenly.

A turn is written as a vector along its axis, as long as its angle in radians.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .rotations import rotation_of

_SMALL = 1e-8  # squared angle below which a series stands for the sine


def rotation_of_turn(turn: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation of a turn: the exponential map; zero turns nothing, and has a gradient."""
    squared = turn.square().sum(-1, keepdim=True)
    large = squared > _SMALL
    angle = torch.where(large, squared, 1.0).sqrt()
    sine = torch.where(large, (angle / 2).sin() / angle, 0.5 - squared / 48)
    cosine = torch.where(large, (angle / 2).cos(), 1 - squared / 8)
    return rotation_of(torch.cat((cosine, sine * turn), -1))


def turn_of_rotation(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3"]:
    """The shortest turn that makes a rotation: the logarithm, 0 to π long; of half a turn, one of the two."""
    real, imaginary = quaternion_of(rotation).split((1, 3), -1)
    squared = imaginary.square().sum(-1, keepdim=True)
    large = squared > _SMALL
    length = torch.where(large, squared, 1.0).sqrt()
    half = torch.where(large, torch.atan2(length, torch.where(large, real, 0.0)) / length, 1 + squared / 6)
    return 2 * half * imaginary


def quaternion_of(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """The unit quaternion of a rotation, real part first and not negative.

    Of the four ways to solve for it, that with the largest divisor (Shepperd 1978, doi:10.2514/3.55767b).
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (row.unbind(-1) for row in rotation.unbind(-2))
    rows = (
        torch.stack((1 + xx + yy + zz, zy - yz, xz - zx, yx - xy), -1),
        torch.stack((zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx), -1),
        torch.stack((xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy), -1),
        torch.stack((yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz), -1),
    )
    ways = torch.stack(rows, -2)
    best = ways.detach().diagonal(dim1=-2, dim2=-1).argmax(-1)
    way = ways.gather(-2, best[..., None, None].expand(*best.shape, 1, 4)).squeeze(-2)
    way = way / way.norm(dim=-1, keepdim=True)
    return torch.where(way[..., :1].detach() < 0, -way, way)


def turned_towards(
    start: Float[Tensor, "*#batch 3 3"], end: Float[Tensor, "*#batch 3 3"], share: Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch 3 3"]:
    """The rotation at a share of the shortest way from one to another; 0 is the start, 1 the end."""
    turn = turn_of_rotation(start.mT @ end)
    return start @ rotation_of_turn(share[..., None] * turn)


def random_rotations(
    shape: Sequence[int],
    generator: torch.Generator,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "*shape 3 3"]:
    """Rotations drawn evenly from all of them (Haar's measure), on the generator's device."""
    quaternions = torch.randn(*shape, 4, generator=generator, device=generator.device, dtype=dtype)
    return rotation_of(quaternions)
