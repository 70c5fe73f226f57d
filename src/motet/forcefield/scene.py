"""One batch of conformations with everything that several terms need, each computed once, when first asked for."""

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .burial import burial_sums
from .contact_pairs import CUTOFF, contact_energies
from .contacts import ContactParameters
from .neighbours import Neighbours
from .separation import squared_distances


class Scene:
    """Coordinates, pairs and their shared geometry.

    Args:
        coords: Seen atoms of each conformation, in Å.
        neighbours: The list that holds for them.
        types: Contact type of each seen atom.
        parameters: Parameters of those types.
    """

    def __init__(
        self,
        coords: Float[Tensor, "conformations atoms 3"],
        neighbours: Neighbours,
        types: Int[Tensor, "atoms"],
        parameters: ContactParameters,
    ) -> None:
        self.conformations, self.atoms = coords.shape[0], coords.shape[1]
        self.points = coords.permute(2, 0, 1).contiguous()
        self.neighbours, self.types, self.parameters = neighbours, types, parameters

    points: Float[Tensor, "3 conformations atoms"]

    def at(self, index: Int[Tensor, "*n"]) -> Float[Tensor, "3 conformations *n"]:
        """Positions of some atoms, x, y and z as rows."""
        return self.points.index_select(2, index.flatten()).unflatten(2, index.shape)

    @cached_property
    def squared(self) -> Float[Tensor, "pairs"]:
        """Squared distance of each pair of the list, in Å²; rows that only fill the list are at the cut-off."""
        squared = squared_distances(self.points.flatten(1), self.neighbours.pairs)
        count = self.neighbours.count
        if count is None:
            return squared
        return torch.where(torch.arange(len(squared), device=squared.device) < count, squared, CUTOFF**2)

    @cached_property
    def contacts(self) -> tuple[Float[Tensor, "pairs"], Float[Tensor, "pairs"]]:
        """Attraction and repulsion of each pair, in kcal/mol."""
        table = self.parameters.pair_table(self.squared.dtype)
        return contact_energies(self.squared, table.depth, table.minimum, self.neighbours.code)

    def repulsion(
        self, i: Int[Tensor, "n"], j: Int[Tensor, "n"], squared: Float[Tensor, "n"]
    ) -> Float[Tensor, "n"]:
        """What some pairs, of the given squared distances in Å², are kept apart by, in kcal/mol."""
        types = self.types[i % self.atoms], self.types[j % self.atoms]
        code = self.parameters.code(*types, torch.zeros_like(i, dtype=torch.bool))
        table = self.parameters.pair_table(squared.dtype)
        return contact_energies(squared, table.depth, table.minimum, code)[1]

    @cached_property
    def burial(self) -> Float[Tensor, "all_atoms"]:
        """Volume of the atoms around each atom, weighted by exp(-r²/2s²), in Å³."""
        volume = self.parameters.volumes.to(self.squared.dtype)[self.types].repeat(self.conformations)
        return burial_sums(self.squared, volume, self.neighbours.i, self.neighbours.j)

    @cached_property
    def buried(self) -> Float[Tensor, "conformations atoms"]:
        """How buried each atom is, from 0 to 1."""
        return self.parameters.buried(self.burial).reshape(self.conformations, self.atoms)
