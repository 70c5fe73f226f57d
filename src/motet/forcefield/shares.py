"""Energies with their owners, so that one evaluation serves the total, a protein's share and a residue's."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .neighbours import Neighbours


@dataclass(frozen=True, eq=False)
class Owners:
    """Who owns what in a batch of conformations.

    Args:
        conformations: Their number.
        residue_of_atom: Residue of each seen atom.
        protein_of_residue: Protein of each residue.
        proteins: Number of proteins.
    """

    conformations: int
    residue_of_atom: Int[Tensor, "atoms"]
    protein_of_residue: Int[Tensor, "residues"]
    proteins: int


@runtime_checkable
class Share(Protocol):
    """Energies of some part of a term."""

    def by_protein(self, owners: Owners) -> Float[Tensor, "conformations proteins"]:
        """Their sum in each protein."""
        ...

    def by_residue(self, owners: Owners) -> Float[Tensor, "conformations residues"]:
        """Their sum in each residue."""
        ...


@dataclass(frozen=True, eq=False)
class SiteShare:
    """Energies that one residue each owns."""

    values: Float[Tensor, "conformations sites"]
    residues: Int[Tensor, "sites"]

    def by_protein(self, owners: Owners) -> Float[Tensor, "conformations proteins"]:
        """Their sum in each protein."""
        if owners.proteins == 1:
            return self.values.sum(-1, keepdim=True)
        return _add(self.values, owners.protein_of_residue[self.residues], owners.proteins)

    def by_residue(self, owners: Owners) -> Float[Tensor, "conformations residues"]:
        """Their sum in each residue."""
        return _add(self.values, self.residues, len(owners.protein_of_residue))


@dataclass(frozen=True, eq=False)
class PairShare:
    """Energies of pairs of atoms of the neighbour list's numbering, one half to the residue of each atom."""

    values: Float[Tensor, "pairs"]
    i: Int[Tensor, "pairs"]
    j: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]

    @classmethod
    def of(cls, values: Float[Tensor, "pairs"], neighbours: Neighbours) -> "PairShare":
        """Energies of all pairs of the list."""
        return cls(values, neighbours.i, neighbours.j, neighbours.protein)

    def by_protein(self, owners: Owners) -> Float[Tensor, "conformations proteins"]:
        """Their sum in each protein."""
        shape = owners.conformations, owners.proteins
        if shape == (1, 1):
            return self.values.sum().reshape(1, 1)
        return _add(self.values, self.protein, shape[0] * shape[1]).reshape(shape)

    def by_residue(self, owners: Owners) -> Float[Tensor, "conformations residues"]:
        """Their sum in each residue."""
        atoms, residues = len(owners.residue_of_atom), len(owners.protein_of_residue)
        halves = 0.5 * self.values
        total = sum(
            _add(
                halves,
                k // max(atoms, 1) * residues + owners.residue_of_atom[k % max(atoms, 1)],
                owners.conformations * residues,
            )
            for k in (self.i, self.j)
        )
        assert isinstance(total, Tensor)
        return total.reshape(owners.conformations, residues)


def _add(values: Float[Tensor, "*batch n"], index: Int[Tensor, "n"], size: int) -> Float[Tensor, "*batch size"]:
    """Sums by index along the last axis, in float64: one after another, rounding would pile up."""
    sums = values.new_zeros(*values.shape[:-1], size, dtype=torch.float64)
    return sums.index_add(-1, index, values.double()).to(values.dtype)
