"""How much room there is around a rigid surrounding: a map from places to the nearest contact."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

SPACING = 0.5  # Å
_SEEN = 0.6  # Å of free room up to which the map is exact; beyond it reads this


@dataclass(frozen=True, eq=False)
class Clearance:
    """Distance to the nearest contact, in Å, for several kinds of probe; below zero inside.

    Args:
        origin: First grid point.
        values: Of each kind, on a grid of `SPACING`.
    """

    origin: Float[Tensor, "3"]
    values: Float[Tensor, "kinds nx ny nz"]

    @classmethod
    def of(
        cls,
        atoms: Float[Tensor, "atoms 3"],
        contacts: Float[Tensor, "kinds atoms"],
        low: Float[Tensor, "3"],
        high: Float[Tensor, "3"],
    ) -> "Clearance":
        """The map of a box.

        Args:
            atoms: What stands around, in Å.
            contacts: Distance, in Å, at which each kind of probe touches each atom.
            low: One corner of the box.
            high: The opposite one.
        """
        shape = [int(n) + 2 for n in ((high - low) / SPACING).ceil().tolist()]
        reach = float(contacts.max()) + _SEEN if contacts.numel() else 0.0
        near = ((atoms > low - reach) & (atoms < high + reach)).all(-1)
        atoms, contacts = atoms[near], contacts[:, near]
        steps = math.ceil(reach / SPACING)
        axis = torch.arange(-steps, steps + 1, device=atoms.device)
        stamp = torch.cartesian_prod(axis, axis, axis)
        stamp = stamp[stamp.square().sum(-1) <= (steps + 1) ** 2]
        place = ((atoms - low) / SPACING).round().long()[:, None] + stamp
        size = torch.tensor(shape, device=atoms.device)
        inside = ((place >= 0) & (place < size)).all(-1)
        distance = (place * SPACING + low - atoms[:, None]).norm(dim=-1)[inside]
        cell = ((place[..., 0] * shape[1] + place[..., 1]) * shape[2] + place[..., 2])[inside]
        owner = torch.arange(len(atoms), device=atoms.device)[:, None].expand(inside.shape)[inside]
        values = atoms.new_full((len(contacts), math.prod(shape)), _SEEN)
        for kind, contact in enumerate(contacts):
            values[kind].scatter_reduce_(0, cell, distance - contact[owner], "amin")
        return cls(low, values.reshape(len(contacts), *shape))

    def at(
        self, points: Float[Tensor, "*batch atoms 3"], kinds: Int[Tensor, "atoms"]
    ) -> Float[Tensor, "*batch atoms"]:
        """Room around probes of these kinds, in Å, by linear interpolation; ample outside the box."""
        _, nx, ny, nz = self.values.shape
        scaled = (points - self.origin) / SPACING
        size = torch.tensor((nx, ny, nz), device=points.device)
        inside = ((scaled >= 0) & (scaled < size - 1)).all(-1)
        scaled = torch.where(inside[..., None], scaled, 0.0)
        corner = scaled.long()
        x, y, z = (scaled - corner).unbind(-1)
        base = ((kinds * nx + corner[..., 0]) * ny + corner[..., 1]) * nz + corner[..., 2]
        flat = self.values.flatten()
        along_z = [
            torch.lerp(flat[base + off], flat[base + off + 1], z) for off in (0, nz, ny * nz, (ny + 1) * nz)
        ]
        room = torch.lerp(torch.lerp(along_z[0], along_z[1], y), torch.lerp(along_z[2], along_z[3], y), x)
        return torch.where(inside, room, _SEEN)
