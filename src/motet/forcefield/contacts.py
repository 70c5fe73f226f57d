"""Lennard-Jones parameters and volumes of atom types: what van der Waals attraction, clashes and burial share."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from ..chem import read_table
from .layout import Layout

TABLES = f"{__package__}.tables"
# Of the sum of radii: donor and acceptor meet at 2.9 Å (N, O) and 2.7 Å (O, O) without a clash.
HYDROGEN_BOND_CONTACT = 0.93


class PairTable(NamedTuple):
    """Well depth in kcal/mol and distance of the minimum in Å, by pair code (see `ContactParameters.code`)."""

    depth: Float[Tensor, "codes"]
    minimum: Float[Tensor, "codes"]


class ContactParameters(nn.Module):
    """Learnable depth, radius and volume of each atom type, from `tables/contacts.csv`, and what counts as buried.

    Logarithms of depths, radii and the volume that half buries an atom are what is learnt: they stay positive.
    """

    def __init__(self) -> None:
        super().__init__()
        rows = read_table("contacts.csv", TABLES)
        self.types = tuple(row["type"] for row in rows)
        self.log_depth = nn.Parameter(_column(rows, "depth_kcal_mol").log())
        self.log_radius = nn.Parameter(_column(rows, "half_rmin_angstrom").log())
        self.log_depth_14 = nn.Parameter(_column(rows, "depth_14_kcal_mol").log())
        self.log_radius_14 = nn.Parameter(_column(rows, "half_rmin_14_angstrom").log())
        self.volumes = nn.Parameter(_column(rows, "volume_angstrom3"))
        self.log_half_volume = nn.Parameter(torch.tensor(_half_volume()).log())
        donor, acceptor = (torch.tensor([row[role] == "yes" for row in rows]) for role in ("donor", "acceptor"))
        may_bond = (donor[:, None] & acceptor[None, :]) | (acceptor[:, None] & donor[None, :])
        contact = torch.where(may_bond, HYDROGEN_BOND_CONTACT, 1.0)
        self.register_buffer("contact", contact, persistent=False)

    contact: Float[Tensor, "types types"]

    def types_of(self, layout: Layout) -> NDArray[np.int64]:
        """Type of each seen atom: by residue and name, else by element."""
        table = {(row["residue"], row["atom"]): row["type"] for row in read_table("atoms.csv", TABLES)}
        number = {name: index for index, name in enumerate(self.types)}
        found = layout.keyed(table, "")
        elements = layout.elements.tolist()
        names = [name or f"X{element}" for name, element in zip(found, elements, strict=True)]
        types = np.array([number.get(name, number["X"]) for name in names], dtype=np.int64)
        types[_charged_ends(layout)] = number["NH3"]
        return types

    def buried(self, volume: Float[Tensor, "*atoms"]) -> Float[Tensor, "*atoms"]:
        """v⁴ / (v⁴ + half⁴) of the volume in Å³ around an atom: 0 alone in water, near 1 deep inside."""
        fourth = (volume * (-self.log_half_volume.to(volume.dtype)).exp()).square().square()
        return fourth / (1.0 + fourth)

    @property
    def farthest_minimum(self) -> float:
        """Distance in Å beyond which no two types repel each other."""
        return 2.0 * float(torch.maximum(self.log_radius, self.log_radius_14).detach().max().exp())

    def code(self, i: Int[Tensor, "pairs"], j: Int[Tensor, "pairs"], near: Tensor) -> Int[Tensor, "pairs"]:
        """Place in `PairTable` of pairs of types i and j; `near` marks those three bonds apart."""
        size = len(self.types)
        return (near.to(i) * size + i) * size + j

    def pair_table(self, dtype: torch.dtype) -> PairTable:
        """Lorentz-Berthelot pairs of all types, ordinary ones first, then those three bonds apart."""
        half, half_14 = self.log_radius.to(dtype).exp(), self.log_radius_14.to(dtype).exp()
        root, root_14 = (0.5 * self.log_depth.to(dtype)).exp(), (0.5 * self.log_depth_14.to(dtype)).exp()
        minimum = torch.stack((_sums(half) * self.contact.to(dtype), _sums(half_14)))
        depth = torch.stack((root[:, None] * root, root_14[:, None] * root_14))
        return PairTable(depth.flatten(), minimum.flatten())


def _half_volume() -> float:
    rows = {row["name"]: float(row["value"]) for row in read_table("burial.csv", TABLES)}
    return rows["half_volume"]


def _column(rows: list[dict[str, str]], name: str) -> Float[Tensor, "types"]:
    return torch.tensor([float(row[name]) for row in rows])


def _sums(values: Float[Tensor, "types"]) -> Float[Tensor, "types types"]:
    return values[:, None] + values


def _charged_ends(layout: Layout) -> NDArray[np.int64]:
    """N of each chain's first residue, where nothing but its own residue is bonded to it."""
    atoms = []
    for residue in np.flatnonzero(layout.first_of_chain).tolist():
        nitrogen = layout.atoms_of_residue[residue].get("N", -1)
        if nitrogen >= 0 and all(layout.residue_of_atom[k] == residue for k in layout.neighbours[nitrogen]):
            atoms.append(nitrogen)
    return np.array(atoms, dtype=np.int64)
