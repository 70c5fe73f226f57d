"""Residues as frames: a quaternion turns, a translation shifts."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry import Rigid


@dataclass(frozen=True, eq=False)
class Frames:
    """A frame a residue.

    Args:
        quaternion: Unit quaternions, real part first.
        translation: Origins, in the units of the structure module (10 Å).
    """

    quaternion: Float[Tensor, "*batch residues 4"]
    translation: Float[Tensor, "*batch residues 3"]

    @classmethod
    def at_origin(cls, like: Float[Tensor, "*batch residues channels"]) -> "Frames":
        """All residues in one place, unturned: the black hole from which folding starts."""
        quaternion = like.new_zeros((*like.shape[:-1], 4))
        quaternion[..., 0] = 1
        return cls(quaternion, like.new_zeros((*like.shape[:-1], 3)))

    @property
    def rotation(self) -> Float[Tensor, "*batch residues 3 3"]:
        """Rotation matrices of the quaternions."""
        a, b, c, d = self.quaternion.unbind(-1)
        aa, bb, cc, dd = a * a, b * b, c * c, d * d
        rows = (
            torch.stack((aa + bb - cc - dd, 2 * (b * c - a * d), 2 * (b * d + a * c)), -1),
            torch.stack((2 * (b * c + a * d), aa - bb + cc - dd, 2 * (c * d - a * b)), -1),
            torch.stack((2 * (b * d - a * c), 2 * (c * d + a * b), aa - bb - cc + dd), -1),
        )
        return torch.stack(rows, -2)

    def updated(self, update: Float[Tensor, "*batch residues 6"]) -> "Frames":
        """Moved by a small motion in the frame itself: Jumper et al. (2021), Suppl. Alg. 23.

        The first three numbers are the imaginary part of a quaternion with real part 1, the others a shift.
        """
        b, c, d = update[..., :3].unbind(-1)
        w, x, y, z = self.quaternion.unbind(-1)
        change = (-x * b - y * c - z * d, w * b + y * d - z * c, w * c + z * b - x * d, w * d + x * c - y * b)
        quaternion = self.quaternion + torch.stack(change, -1)
        quaternion = quaternion / quaternion.norm(dim=-1, keepdim=True)
        shift = (self.rotation @ update[..., 3:, None]).squeeze(-1)
        return Frames(quaternion, self.translation + shift)

    def without_rotation_gradient(self) -> "Frames":
        """The same, with no gradient through the turn: Suppl. Alg. 20, line 20."""
        return Frames(self.quaternion.detach(), self.translation)

    def rigid(self, unit: float) -> Rigid:
        """The frames in Å, where `unit` Å are one unit of translation."""
        return Rigid(self.rotation, self.translation * unit)
