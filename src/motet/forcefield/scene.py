"""One batch of conformations with everything that several terms need, each computed once, when first asked for."""

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .contacts import ContactParameters, PairTable
from .neighbours import CUTOFF, Neighbours
from .separation import squared_distances
from .switch import switch

SWITCH_ON = 7.0  # Å: pair functions are themselves up to here
BURIAL_WIDTH = 3.5  # Å: correlation length of protein atoms, Lazaridis and Karplus (1999)


class Scene:
    """Coordinates, pairs and their shared geometry.

    Args:
        coords: Seen atoms of each conformation, in Å.
        neighbours: The list that holds for them.
        types: Contact type of each seen atom.
        contacts: Parameters of those types.
    """

    def __init__(
        self,
        coords: Float[Tensor, "conformations atoms 3"],
        neighbours: Neighbours,
        types: Int[Tensor, "atoms"],
        contacts: ContactParameters,
    ) -> None:
        self.conformations, self.atoms = coords.shape[0], coords.shape[1]
        self.points = coords.permute(2, 0, 1).contiguous()
        self.neighbours, self.types, self.contacts = neighbours, types, contacts

    points: Float[Tensor, "3 conformations atoms"]

    def at(self, index: Int[Tensor, "n"]) -> Float[Tensor, "3 conformations n"]:
        """Positions of some atoms, x, y and z as rows."""
        return self.points.index_select(2, index)

    @cached_property
    def squared(self) -> Float[Tensor, "pairs"]:
        """Squared distance of each pair of the list, in Å²."""
        return squared_distances(self.points.flatten(1), self.neighbours.i, self.neighbours.j)

    @cached_property
    def switched(self) -> Float[Tensor, "pairs"]:
        """The factor that takes each pair smoothly to zero at the cut-off."""
        return switch(self.squared, SWITCH_ON, CUTOFF)

    @cached_property
    def depth(self) -> Float[Tensor, "pairs"]:
        """Lennard-Jones well depth of each pair, in kcal/mol."""
        return self._table.depth.index_select(0, self.neighbours.code)

    @cached_property
    def reduced(self) -> Float[Tensor, "pairs"]:
        """Squared distance over the square of where the Lennard-Jones minimum lies."""
        return self.squared * self._table.minimum.pow(-2).index_select(0, self.neighbours.code)

    @cached_property
    def _table(self) -> PairTable:
        return self.contacts.pair_table(self.squared.dtype)

    @cached_property
    def burial(self) -> Float[Tensor, "all_atoms"]:
        """Volume of the atoms around each atom, weighted by exp(-r²/2s²), in Å³."""
        weight = (self.squared * (-0.5 / BURIAL_WIDTH**2)).exp() * self.switched
        volume = self.contacts.volumes.to(weight.dtype)[self.types].repeat(self.conformations)
        i, j = self.neighbours.i, self.neighbours.j
        sums = torch.zeros_like(volume).index_add(0, i, weight * volume.index_select(0, j))
        return sums.index_add(0, j, weight * volume.index_select(0, i))
