"""Pairs of atoms within a cutoff, in time and memory linear in the atoms."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from ..errors import ConfigError, NonFiniteError
from .cells import cell_pairs


def neighbour_pairs(
    coords: Float[Tensor, "atoms 3"], cutoff: float, group: Int[Tensor, "atoms"] | None = None
) -> Int[Tensor, "2 pairs"]:
    """All pairs i < j no further apart than `cutoff`, sorted by i, then j.

    Distances are compared in float64, so that every device finds the same pairs. On the CPU a k-d tree searches,
    elsewhere a cell list.

    Args:
        coords: Atoms, in Å; a batch is laid end to end, with a group for each member.
        cutoff: In Å.
        group: Number of the protein or conformation of each atom; pairs never cross groups.

    Raises:
        ConfigError: The cutoff is not a positive number.
        NonFiniteError: A coordinate is infinite or not a number.
    """
    if not (math.isfinite(cutoff) and cutoff > 0):
        raise ConfigError(f"cutoff={cutoff} Å is not a positive distance; 8 to 12 Å is usual.")
    points = coords.detach().double()
    if not points.isfinite().all():
        raise NonFiniteError("neighbour search")
    if group is None:
        group = torch.zeros(len(points), dtype=torch.int64, device=points.device)
    if len(points) < 2:
        return torch.zeros(2, 0, dtype=torch.int64, device=points.device)
    if points.device.type == "cpu":
        return _tree_pairs(points, cutoff, group)
    return _ordered(*cell_pairs(points, cutoff, group))


def _tree_pairs(
    points: Float[Tensor, "atoms 3"], cutoff: float, group: Int[Tensor, "atoms"]
) -> Int[Tensor, "2 pairs"]:
    """Sorted pairs from one k-d tree a group: less than half the time of one tree that also holds the group."""
    ends = np.cumsum(group.unique(return_counts=True)[1].numpy())
    starts = np.concatenate(([0], ends[:-1]))
    if bool((group.diff() >= 0).all()):  # then pairs of one group after another are sorted
        found = [_tree_pairs_of_one(points.numpy()[a:b], cutoff) + a for a, b in zip(starts, ends, strict=True)]
        return torch.from_numpy(np.concatenate(found, axis=1))
    order = group.argsort(stable=True)
    return _ordered(*order[_tree_pairs(points[order], cutoff, group[order])])


def _tree_pairs_of_one(points: NDArray[np.float64], cutoff: float) -> NDArray[np.int64]:
    """Both rows of the sorted pairs; short keys are sorted twice as fast."""
    size = len(points)
    tree = KDTree(points, leafsize=16)
    i, j = tree.query_pairs(cutoff, output_type="ndarray").T
    key = (i * size + j).astype(np.int32 if size * size < 1 << 31 else np.int64)
    key.sort()
    pairs = np.empty((2, len(key)), dtype=np.int64)
    np.floor_divide(key, size, out=pairs[0])
    np.subtract(key, pairs[0] * size, out=pairs[1])
    return pairs


def _ordered(i: Int[Tensor, "pairs"], j: Int[Tensor, "pairs"]) -> Int[Tensor, "2 pairs"]:
    """Pairs sorted by i, then j; by numpy on the CPU, whose sort of integers is several times faster."""
    key = (i << 32) | j
    key = torch.from_numpy(np.sort(key.numpy())) if key.device.type == "cpu" else key.sort().values
    return torch.stack((key >> 32, key & 0xFFFFFFFF))
