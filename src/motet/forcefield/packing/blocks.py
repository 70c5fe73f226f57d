"""Pairs of atoms near each other, found block by block: first the blocks that may touch, then their atoms."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

AT_ONCE = 20_000_000  # distances of block centres held at once


@dataclass(frozen=True, eq=False)
class Blocks:
    """Atoms in small groups that move as one: copies of side chains, and what stays of each residue.

    Args:
        members: Atoms of block 0, then of block 1, and so on.
        start: Where each block begins in `members`.
        size: Atoms of each block.
        protein: Protein of each block; blocks of two proteins never touch.
    """

    members: Int[Tensor, "members"]
    start: Int[Tensor, "blocks"]
    size: Int[Tensor, "blocks"]
    protein: Int[Tensor, "blocks"]

    def to(self, device: torch.device) -> "Blocks":
        """The same on another device."""
        return Blocks(*(one.to(device) for one in (self.members, self.start, self.size, self.protein)))

    def spheres(
        self, points: Float[Tensor, "conformations atoms 3"]
    ) -> tuple[Float[Tensor, "conformations blocks 3"], Float[Tensor, "conformations blocks"]]:
        """Centre and radius of each block, in Å."""
        block = torch.repeat_interleave(self.size)
        own = points[:, self.members]
        sums = points.new_zeros(len(points), len(self.size), 3).index_add(1, block, own)
        centre = sums / self.size.clamp_min(1).to(points)[:, None]
        away = (own - centre[:, block]).norm(dim=-1)
        radius = points.new_zeros(len(points), len(self.size))
        return centre, radius.scatter_reduce(1, block.expand(len(points), -1), away, "amax")


def touching(
    first: Blocks,
    second: Blocks,
    points: Float[Tensor, "conformations atoms 3"],
    reach: float,
    present: tuple[Bool[Tensor, "conformations first"], Bool[Tensor, "conformations second"]] | None = None,
) -> tuple[Int[Tensor, "touches"], Int[Tensor, "touches"], Int[Tensor, "touches"]]:
    """Conformation and blocks of all pairs of blocks whose atoms may come within reach."""
    here, here_radius = first.spheres(points)
    there, there_radius = second.spheres(points)
    rows = max(1, AT_ONCE // max(1, len(points) * len(second.size)))
    found = [torch.zeros(0, 3, dtype=torch.int64, device=points.device)]
    for part in torch.arange(len(first.size), device=points.device).split(rows):
        limit = reach + here_radius[:, part, None] + there_radius[:, None]
        near = torch.cdist(here[:, part], there, compute_mode="donot_use_mm_for_euclid_dist") < limit
        near &= first.protein[part, None] == second.protein
        if present is not None:
            near &= present[0][:, part, None] & present[1][:, None]
        found.append(near.nonzero() + torch.tensor([0, int(part[0]), 0], device=points.device))
    conformation, a, b = torch.cat(found).unbind(-1)
    return conformation, a, b


def atom_pairs(
    first: Blocks,
    second: Blocks,
    conformation: Int[Tensor, "touches"],
    a: Int[Tensor, "touches"],
    b: Int[Tensor, "touches"],
    points: Float[Tensor, "conformations atoms 3"],
    reach: float,
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """Atoms of touching blocks that are within reach; atoms count as `conformation * atoms + atom`."""
    count = first.size[a] * second.size[b]
    row = torch.repeat_interleave(count)
    place = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    width = second.size[b][row]
    shift = (conformation * points.shape[1])[row]
    i = first.members[first.start[a][row] + place.div(width, rounding_mode="floor")] + shift
    j = second.members[second.start[b][row] + place.remainder(width)] + shift
    flat = points.reshape(-1, 3)
    keep = ((flat[i] - flat[j]).square().sum(-1) < reach * reach).nonzero().squeeze(-1)
    return i[keep], j[keep]


def pieces(sizes: Int[Tensor, "touches"], most: int) -> Iterator[slice]:
    """Slices of the touches, each of at most so many pairs of atoms or of one touch alone."""
    total, start = sizes.cumsum(0), 0
    while start < len(sizes):
        before = int(total[start - 1]) if start else 0
        end = max(start + 1, int(torch.searchsorted(total, before + most, right=True)))
        yield slice(start, end)
        start = end
