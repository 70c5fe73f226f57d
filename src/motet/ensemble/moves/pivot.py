"""Pivots: one torsion near an end of a chain turns, and the tail with it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..articulation import Articulation
from ..dice import Dice
from ..landscape import Landscape
from .move import Proposal, Walkers, metropolis

HALF_CHANCE = 4.0  # residues: a torsion this far from the end is tried half as often as the last one


@dataclass(frozen=True, eq=False)
class Pivot:
    """A single φ or ψ turns by a normal angle; which one depends only on how far from an end it is.

    Args:
        slots: The coordinates to choose from.
        weights: How often each is tried.
    """

    slots: Int[Tensor, "slots"]
    weights: Float[Tensor, "slots"]
    name: str = "pivot"
    first_size: float = 0.15
    wanted: float | None = 0.35
    largest_size: float = math.pi

    @classmethod
    def of(cls, landscape: Landscape) -> "Pivot | None":
        """The pivots of a molecule; None where nothing turns."""
        articulation, topology = landscape.articulation, landscape.topology
        residue = torch.from_numpy(topology.residue_of_atom.copy()).to(articulation.torsions.device)
        slots = backbone_slots(articulation)
        if not len(slots):
            return None
        at = residue[articulation.torsions[slots]]
        chain = torch.from_numpy(topology.chain_of_residue.copy()).to(at.device)
        first = torch.searchsorted(chain, chain[at])
        last = torch.searchsorted(chain, chain[at], right=True) - 1
        from_end = torch.minimum(at - first, last - at).double()
        return cls(slots, 0.5 ** (from_end / HALF_CHANCE))

    def step(
        self, landscape: Landscape, walkers: Walkers, size: Float[Tensor, "walkers"], dice: Dice
    ) -> tuple[Walkers, Float[Tensor, "walkers"]]:
        """One try a walker: the choice knows nothing of the conformation, and the angle is symmetric."""
        chosen = self.slots[dice.choice(self.weights.expand(len(walkers.q), -1))]
        angle = dice.normal(1) * size[:, None]
        q = walkers.q.scatter_add(1, chosen[:, None], angle)
        symmetric = torch.zeros_like(walkers.energy)
        return metropolis(landscape, walkers, Proposal(q, symmetric, symmetric == 0), dice)


def backbone_slots(articulation: Articulation) -> Int[Tensor, "slots"]:
    """Places of φ and ψ among the free coordinates."""
    tree = articulation.tree
    named = torch.cat((tree.phi, tree.psi))
    return torch.isin(articulation.torsions, named[named >= 0]).nonzero().squeeze(-1)
