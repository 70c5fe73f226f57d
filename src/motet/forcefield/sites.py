"""Pairs of a few chosen sites, found without looking through the whole list of pairs."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..geometry import neighbour_pairs
from .neighbours import SKIN


class SitePairs(NamedTuple):
    """Pairs of sites of one conformation and one protein.

    Args:
        conformation: Of each pair.
        first: Its first site, as a row of those asked for.
        second: Its second site, the larger row.
        protein: `conformation * proteins + protein`.
    """

    conformation: Int[Tensor, "pairs"]
    first: Int[Tensor, "pairs"]
    second: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]

    def where(self, keep: Tensor) -> "SitePairs":
        """Some of the pairs."""
        index = keep.nonzero().squeeze(-1)
        return SitePairs(*(one[index] for one in self))


def near_sites(
    points: Float[Tensor, "conformations sites 3"], protein: Int[Tensor, "sites"], proteins: int, reach: float
) -> SitePairs:
    """Pairs nearer than `reach` in Å, and those that may come so near before the list is renewed."""
    conformations, sites = points.shape[:2]
    start = torch.arange(conformations, device=points.device)[:, None]
    group = (start * proteins + protein).flatten()
    i, j = neighbour_pairs(points.reshape(-1, 3), reach + SKIN, group)
    size = max(sites, 1)
    return SitePairs(i // size, i % size, j % size, group[i])
