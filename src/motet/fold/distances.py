"""Distances between residues, binned as the network reads them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .residues import CA, CB, GLYCINE

_NO_END = 1e8


def pseudo_beta(
    residue_types: Int[Tensor, "*batch residues"], positions: Float[Tensor, "*batch residues 37 channels"]
) -> Float[Tensor, "*batch residues channels"]:
    """What is at the Cβ, at the Cα of a glycine: positions, or (with one channel) presence."""
    glycine = (residue_types == GLYCINE)[..., None]
    return torch.where(glycine, positions[..., CA, :], positions[..., CB, :])


def distogram(
    positions: Float[Tensor, "*batch residues 3"], first: float, last: float, bins: int
) -> Float[Tensor, "*batch residues residues bins"]:
    """One-hot bins of distance, in Å; the last one has no end, and what is closer than `first` is in none.

    A distance on an edge is in no bin, as in AlphaFold2.
    """
    edges = torch.linspace(first, last, bins, dtype=positions.dtype, device=positions.device).square()
    ends = torch.cat((edges[1:], edges.new_tensor([_NO_END])))
    squared = (positions[..., :, None, :] - positions[..., None, :, :]).square().sum(-1, keepdim=True)
    return ((squared > edges) & (squared < ends)).to(positions.dtype)
