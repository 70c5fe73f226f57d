"""Rigid motions and local frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rigid:
    """Turn, then shift: x → rotation x + translation. Also a local frame: its axes are the rotation's columns.

    Args:
        rotation: Proper rotation.
        translation: Shift after the rotation, in Å.
    """

    rotation: Float[Tensor, "*batch 3 3"]
    translation: Float[Tensor, "*batch 3"]

    @classmethod
    def identity(
        cls,
        batch: Sequence[int] = (),
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> "Rigid":
        """The motion that moves nothing."""
        rotation = torch.eye(3, dtype=dtype, device=device).expand(*batch, 3, 3)
        return cls(rotation, torch.zeros(*batch, 3, dtype=dtype, device=device))

    @classmethod
    def from_three_points(
        cls, a: Float[Tensor, "*#batch 3"], b: Float[Tensor, "*#batch 3"], c: Float[Tensor, "*#batch 3"]
    ) -> "Rigid":
        """Frame of three points: origin in the middle one, x towards c, y in the plane on a's side.

        With N, CA and C this is the residue frame of Jumper et al. (2021), Suppl. Alg. 21. Points that span no
        plane still get a proper frame: the missing axes are taken from the fixed ones, with no gradient.
        """
        u, v = torch.broadcast_tensors(c - b, a - b)
        x = _unit(u, _axis(torch.zeros_like(u)))
        flat = v - (v * x).sum(-1, keepdim=True) * x
        spare = _axis(x)
        spare = (spare - (spare * x).sum(-1, keepdim=True) * x).detach()
        rounding = torch.finfo(v.dtype).eps ** 0.5 * v.detach().norm(dim=-1, keepdim=True)
        y = _unit(torch.where(flat.detach().norm(dim=-1, keepdim=True) > rounding, flat, spare), spare)
        rotation = torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)
        return cls(rotation, torch.broadcast_to(b, x.shape))

    @property
    def batch(self) -> torch.Size:
        """Leading dimensions."""
        return self.translation.shape[:-1]

    def apply(self, points: Float[Tensor, "*#batch points 3"]) -> Float[Tensor, "*batch points 3"]:
        """Move points: each motion its own set of them."""
        return points @ self.rotation.mT + self.translation.unsqueeze(-2)

    def inverse(self) -> "Rigid":
        """The motion that undoes this one."""
        turned = -(self.rotation.mT @ self.translation.unsqueeze(-1)).squeeze(-1)
        return Rigid(self.rotation.mT, turned)

    def __matmul__(self, first: "Rigid") -> "Rigid":
        """Composition: `(a @ b).apply(x)` is `a.apply(b.apply(x))`."""
        moved = (self.rotation @ first.translation.unsqueeze(-1)).squeeze(-1)
        return Rigid(self.rotation @ first.rotation, moved + self.translation)


def _unit(v: Float[Tensor, "*batch 3"], spare: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Direction of v; of `spare`, without gradient, where v is zero."""
    length = v.norm(dim=-1, keepdim=True)
    exists = length > torch.finfo(v.dtype).tiny ** 0.5
    v = torch.where(exists, v, spare.detach())
    return v / v.norm(dim=-1, keepdim=True)


def _axis(away_from: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """The fixed axis most nearly square to a vector; x for zero."""
    fixed = torch.eye(3, dtype=away_from.dtype, device=away_from.device)
    return fixed[away_from.detach().abs().argmin(dim=-1)]
