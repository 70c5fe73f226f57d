"""Pairs of atoms within a cutoff, in time and memory linear in the atoms."""

import math

import torch
from jaxtyping import Float, Int
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
    search = _tree_pairs if points.device.type == "cpu" else cell_pairs
    i, j = search(points, cutoff, group)
    close = (points[i] - points[j]).square().sum(-1) <= cutoff**2
    key = (i[close] * len(points) + j[close]).sort().values
    return torch.stack((key // len(points), key % len(points)))


def _tree_pairs(
    points: Float[Tensor, "atoms 3"], cutoff: float, group: Int[Tensor, "atoms"]
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """Candidates from a k-d tree; the group is a fourth coordinate, which puts groups out of reach."""
    reach = cutoff * (1 + 1e-9)
    apart = group.unique(return_inverse=True)[1].to(points) * 2 * reach
    tree = KDTree(torch.cat((points, apart[:, None]), dim=1).numpy())
    pairs = torch.from_numpy(tree.query_pairs(reach, output_type="ndarray"))
    return pairs[:, 0], pairs[:, 1]
