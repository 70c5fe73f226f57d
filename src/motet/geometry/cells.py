"""A cell list in plain torch: sorted cells instead of a dense grid, so that far outliers cost nothing."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

_CANDIDATES = 1 << 20  # pairs looked at in one go
_HALF = ((0, 1), (1, -1), (1, 0), (1, 1))  # x, y steps to half of the columns around; the others look back


def cell_pairs(
    points: Float[Tensor, "atoms 3"], cutoff: float, group: Int[Tensor, "atoms"]
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """Pairs i < j of one group within the cutoff, in no particular order.

    Atoms are sorted by (group, x cell, y cell, z cell). Seen from one atom, the cells within reach of one column
    form one run of that order, so each atom looks up five runs: its own column's, after itself, and four others'.
    """
    cells = (points / (cutoff * (1 + 1e-6))).floor()
    x, y, z = (_squeezed(axis) for axis in cells.unbind(-1))
    width, depth = int(y.max()) + 2, int(z.max()) + 2
    across = (group.unique(return_inverse=True)[1] * (int(x.max()) + 2) + x) * width + y
    columns, column = across.unique(return_inverse=True)
    key, order = (column * depth + z).sort()
    column, z = column[order], z[order]
    atoms = torch.arange(len(points), device=points.device)
    runs = [(atoms + 1, torch.searchsorted(key, column * depth + z + 1, right=True))]
    for step_x, step_y in _HALF:
        there = columns + step_x * width + step_y
        place = torch.searchsorted(columns, there).clamp_max(len(columns) - 1)
        beside = torch.where(columns[place] == there, place, -1)[column]
        start = torch.searchsorted(key, beside * depth + z - 1)
        stop = torch.searchsorted(key, beside * depth + z + 1, right=True)
        runs.append((start, torch.where(beside < 0, start, stop)))
    points = points[order]
    found = [pairs for start, stop in runs for pairs in _close(points, start, stop, cutoff)]
    i, j = order[torch.cat([pairs[0] for pairs in found])], order[torch.cat([pairs[1] for pairs in found])]
    return torch.minimum(i, j), torch.maximum(i, j)


def _squeezed(cell: Float[Tensor, "atoms"]) -> Int[Tensor, "atoms"]:
    """Cell numbers from 1 with every gap of empty cells cut to one: neighbours stay so, and nothing overflows."""
    filled, place = cell.unique(return_inverse=True)
    gaps = filled.diff().clamp_max(2).long()
    return torch.cat((gaps.new_ones(1), gaps)).cumsum(0)[place]


def _close(
    points: Float[Tensor, "atoms 3"], start: Int[Tensor, "atoms"], stop: Int[Tensor, "atoms"], cutoff: float
) -> Iterator[Int[Tensor, "2 pairs"]]:
    """Pairs of each atom with those of its run that are close, in pieces of bounded size."""
    count = (stop - start).clamp_min(0)
    end = count.cumsum(0)
    pieces = int(end[-1]) // _CANDIDATES + 1
    marks = torch.arange(pieces, device=points.device) * _CANDIDATES
    bounds = [*torch.searchsorted(end, marks, right=True).tolist(), len(points)]
    for first, last in pairwise(bounds):
        near = count[first:last]
        i = torch.arange(first, last, device=points.device).repeat_interleave(near)
        before = (end[first:last] - near).repeat_interleave(near)
        run = torch.arange(len(i), device=points.device) + end[first] - count[first] if len(i) else before
        j = start[i] + run - before
        keep = (points[i] - points[j]).square().sum(-1) <= cutoff**2
        yield torch.stack((i[keep], j[keep]))
