"""Predicted models that cannot be right: chains torn apart, parts that run through each other."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from ..structure import Structure, Topology

TORN = 2.0  # Å between C and the next N: a bond is 1.33, and networks that are unsure stretch it to 1.9
APART = 4.5  # Å between neighbouring Cα, where C or N is missing
CROSSED = 3.0  # Å between Cα three or more residues apart: no two residues fit
_CELLS = 1 << 24


@dataclass(frozen=True, eq=False)
class ModelCheck:
    """What is wrong with which models.

    Args:
        broken: Models with a peptide bond longer than 2 Å.
        clashing: Models in which two Cα three or more residues apart are within 3 Å.
    """

    broken: Bool[Tensor, "models"]
    clashing: Bool[Tensor, "models"]

    @property
    def sound(self) -> Bool[Tensor, "models"]:
        """Models without either."""
        return ~(self.broken | self.clashing)


def check_models(structure: Structure) -> ModelCheck:
    """Look for torn chains and crossing parts in every model; neighbours are those by number, not by distance."""
    coords = structure.coords.reshape(-1, structure.n_atoms, 3)
    topology = structure.topology
    return ModelCheck(_torn(topology, coords), _crossed(topology, coords))


def _torn(topology: Topology, coords: Tensor) -> Bool[Tensor, "models"]:
    torn = torch.zeros(len(coords), dtype=torch.bool, device=coords.device)
    chain, number = topology.chain_of_residue, topology.residue_numbers
    next_to = (chain[1:] == chain[:-1]) & (number[1:] - number[:-1] <= 1)
    backbone = topology.backbone
    for one, two, longest in (
        (backbone[:-1, 2], backbone[1:, 0], TORN),
        (backbone[:-1, 1], backbone[1:, 1], APART),
    ):
        pairs = np.flatnonzero(next_to & (one >= 0) & (two >= 0))
        if len(pairs):
            bond = coords[:, one[pairs]] - coords[:, two[pairs]]
            torn |= (bond.norm(dim=-1) > longest).any(-1)
    return torn


def _crossed(topology: Topology, coords: Tensor) -> Bool[Tensor, "models"]:
    carbons = topology.backbone[:, 1]
    place = torch.from_numpy(np.flatnonzero(carbons >= 0))
    chain = torch.from_numpy(topology.chain_of_residue[place.numpy()].copy())
    near = ((place[:, None] - place).abs() < 3) & (chain[:, None] == chain)
    near = near.to(coords.device)
    points = coords[:, carbons[place.numpy()]]
    blocks = points.split(max(1, _CELLS // max(len(place) ** 2, 1)))
    return torch.cat([((torch.cdist(block, block) < CROSSED) & ~near).flatten(1).any(-1) for block in blocks])
