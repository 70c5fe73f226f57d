"""A rigid motion as a person sees it: a turn about an axis, and a slide along it (Chasles)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .rigid import Rigid


@dataclass(frozen=True, eq=False)
class Screw:
    """A turn about an axis and a slide along it.

    Args:
        axis: Direction of the axis; the turn is right-handed about it.
        point: The point of the axis nearest to the origin, in Å; the origin for a motion that does not turn.
        angle: Turn, in radians, 0 to π.
        slide: Shift along the axis, in Å.
    """

    axis: Float[Tensor, "*batch 3"]
    point: Float[Tensor, "*batch 3"]
    angle: Float[Tensor, "*batch"]
    slide: Float[Tensor, "*batch"]

    @classmethod
    def of(cls, motion: Rigid) -> "Screw":
        """The screw of a motion, without gradient; one that does not turn slides along its own direction."""
        rotation, shift = motion.rotation.detach(), motion.translation.detach()
        sine = torch.stack(
            [(rotation[..., j, i] - rotation[..., i, j]) / 2 for i, j in ((1, 2), (2, 0), (0, 1))], -1
        )
        cosine = (rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
        angle = torch.atan2(sine.norm(dim=-1), cosine)
        turns = angle > 8 * torch.finfo(angle.dtype).eps ** 0.5
        axis = torch.where(turns[..., None], _axis(rotation, sine, cosine), _unit(shift))
        slide = (shift * axis).sum(-1)
        across = shift - slide[..., None] * axis
        half = torch.tan(torch.where(turns, angle, 1.0) / 2)
        point = (across + torch.linalg.cross(axis, across) / half[..., None]) / 2
        return cls(axis, torch.where(turns[..., None], point, 0.0), torch.where(turns, angle, 0.0), slide)


def _axis(
    rotation: Float[Tensor, "*batch 3 3"], sine: Float[Tensor, "*batch 3"], cosine: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch 3"]:
    """Axis from (1 - cos) a aᵀ, well defined at half a turn, too, with the sign of sin a where there is one."""
    eye = torch.eye(3, dtype=rotation.dtype, device=rotation.device)
    square = (rotation + rotation.mT) / 2 - cosine[..., None, None] * eye
    longest = square.diagonal(dim1=-2, dim2=-1).argmax(-1)
    axis = _unit(square.gather(-1, longest[..., None, None].expand(*longest.shape, 3, 1)).squeeze(-1))
    return torch.where((axis * sine).sum(-1, keepdim=True) < 0, -axis, axis)


def _unit(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Direction of v; x for zero."""
    length = v.norm(dim=-1, keepdim=True)
    exists = length > torch.finfo(v.dtype).tiny ** 0.5
    x = torch.eye(3, dtype=v.dtype, device=v.device)[0]
    return torch.where(exists, v / torch.where(exists, length, 1.0), x)
