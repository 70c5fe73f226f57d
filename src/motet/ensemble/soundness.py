"""Whether conformations keep to covalent geometry: bonds at their length, nothing inside anything else."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..forcefield import ideal_bond_lengths
from ..geometry import neighbour_pairs
from ..structure import Structure

SOUND_BOND = 0.05  # Å: a bond may deviate so far
SOUND_PAIR = 2.0  # Å: atoms may come so near
LOOKED_AT = 3.0  # Å: non-bonded heavy atoms farther apart than this are nobody's business


@dataclass(frozen=True, eq=False)
class Soundness:
    """How well each conformation keeps to covalent geometry.

    Args:
        worst_bond: Largest deviation of a bond between heavy protein atoms from its ideal length, in Å.
        closest_pair: Shortest distance between heavy atoms more than two bonds apart, in Å; 3 when none is nearer.
    """

    worst_bond: Float[Tensor, "conformations"]
    closest_pair: Float[Tensor, "conformations"]

    @property
    def unsound(self) -> Bool[Tensor, "conformations"]:
        """Conformations with a bond more than 0.05 Å off, or with two atoms within 2 Å."""
        return (self.worst_bond > SOUND_BOND) | (self.closest_pair < SOUND_PAIR)


def inspect_geometry(structure: Structure) -> Soundness:
    """Measure the bonds and contacts of every model of a structure."""
    coords = structure.coords.reshape(-1, structure.n_atoms, 3).cpu()
    bonds, ideal = ideal_bond_lengths(structure)
    lengths = (coords[:, bonds[:, 0]] - coords[:, bonds[:, 1]]).norm(dim=-1)
    worst = (lengths - ideal).abs().amax(-1) if len(bonds) else coords.new_zeros(len(coords))
    return Soundness(worst, _closest(structure, coords))


def _closest(structure: Structure, coords: Float[Tensor, "models atoms 3"]) -> Float[Tensor, "models"]:
    heavy = torch.from_numpy(~structure.topology.is_hydrogen).nonzero().squeeze(-1)
    model = torch.arange(len(coords)).repeat_interleave(len(heavy))
    points = coords[:, heavy].reshape(-1, 3)
    i, j = neighbour_pairs(points, LOOKED_AT, group=model)
    first, second = heavy[i % len(heavy)], heavy[j % len(heavy)]
    near = torch.isin(first * structure.n_atoms + second, _held(structure))
    i, j = i[~near], j[~near]
    distances = (points[i] - points[j]).norm(dim=-1)
    start = coords.new_full((len(coords),), LOOKED_AT)
    return start.scatter_reduce(0, model[i], distances, "amin")


def _held(structure: Structure) -> Int[Tensor, "pairs"]:
    """Pairs one or two bonds apart, as `i * atoms + j` with i < j."""
    neighbours: list[list[int]] = [[] for _ in range(structure.n_atoms)]
    for i, j in structure.topology.bonds.tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    held = {(i, j) for i, around in enumerate(neighbours) for j in around}
    held |= {(i, k) for around in neighbours for i in around for k in around}
    return torch.tensor([i * structure.n_atoms + j for i, j in held if i < j], dtype=torch.long)
