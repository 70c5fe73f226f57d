"""A force field bound to atoms: an `Energy`, with its parts by term, protein and residue."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import TopologyMismatchError
from ..shapes import Coords
from ..structure import Structure
from .compiled import CompiledSystem
from .conditions import Conditions
from .contact_pairs import CUTOFF
from .energies import Summable
from .held import held_atoms, united_masses
from .layout import Integers, lay_out
from .neighbours import Neighbours, exclusions_of, find_neighbours
from .scene import Scene
from .shares import Owners, Share
from .terms.term import cast

if TYPE_CHECKING:
    from .field import ForceField


ATOMS_AT_ONCE = 1 << 15  # of all conformations that are evaluated together; some more, and pairs sort slowly


@dataclass(frozen=True, eq=False)
class EnergyTable:
    """Energies by residue and term; they add up to the total.

    Args:
        names: Names of the terms.
        values: Weighted energies in kcal/mol; pairs count half for the residue of each atom.
    """

    names: tuple[str, ...]
    values: Float[Tensor, "*batch residues terms"]


class System(Summable):
    """The energy of one protein, or of several unlike ones laid end to end, whose pairs never cross.

    A system looks its parameters up in the force field at every call, so that training moves it too. Neighbour
    lists are kept between calls and renewed when an atom has moved by half the skin; results depend on them no
    more than on rounding. `forget` drops the lists: after it, a resumed run equals one that was never interrupted.

    Args:
        force_field: Where the parameters live.
        structures: The proteins. A single structure gives energies `*batch`, a sequence `*batch proteins`.
        conditions: Temperature, salt, pH.
    """

    def __init__(
        self, force_field: "ForceField", structures: Structure | Sequence[Structure], conditions: Conditions
    ) -> None:
        self.alone = isinstance(structures, Structure)
        proteins = [structures] if isinstance(structures, Structure) else list(structures)
        layout = lay_out(proteins)
        self.force_field, self.layout, self.conditions = force_field, layout, conditions
        self.names = force_field.names
        self.seen = _mask(layout.n_atoms, layout.seen)
        self.mobile = _mask(layout.n_atoms, layout.seen[held_atoms(layout)])
        self.masses = torch.cat([torch.from_numpy(united_masses(one.topology)) for one in proteins]).float()
        self._everything_is_seen = bool(self.seen.all())
        self._index = {
            "seen": torch.from_numpy(layout.seen),
            "types": torch.from_numpy(force_field.contacts.types_of(layout)),
            "residue_of_atom": torch.from_numpy(layout.residue_of_atom),
            "protein_of_atom": torch.from_numpy(layout.protein_of_atom),
            "protein_of_residue": torch.from_numpy(layout.protein_of_residue),
        }
        self._exclusions = exclusions_of(layout)
        self._exact = [term.bind(layout, conditions) for term in force_field.terms]
        self._bound = self._exact
        self._place: tuple[torch.device, torch.dtype] | None = None
        self._neighbours: dict[int, Neighbours] = {}

    seen: Bool[Tensor, "atoms"]
    mobile: Bool[Tensor, "atoms"]
    masses: Float[Tensor, "atoms"]

    def __call__(self, coords: Coords) -> Float[Tensor, "*batch_or_proteins"]:
        """Energy in kcal/mol: `*batch` of one structure, `*batch proteins` of several.

        Raises:
            TopologyMismatchError: The coordinates have another number of atoms.
            NonFiniteError: A coordinate is not a number.
        """
        return self._by_protein(coords).sum(-1)

    def terms(self, coords: Coords) -> Float[Tensor, "*batch_or_proteins terms"]:
        """Energy by term, weighted, in kcal/mol; `*batch proteins terms` of several structures."""
        return self._by_protein(coords)

    def table(self, coords: Coords) -> EnergyTable:
        """Energy by residue and term."""
        found = []
        for points, neighbours in self._pieces(self.flat(coords)):
            owners, shares = self._shares(points, neighbours)
            size = owners.conformations, self.layout.n_residues
            parts = [_total([share.by_residue(owners) for share in one], points, size) for one in shares]
            found.append(torch.stack(parts, dim=-1) * self.force_field.weights.to(points.dtype))
        values = torch.cat(found)
        return EnergyTable(self.names, values.reshape(*coords.shape[:-2], *values.shape[1:]))

    def burial(self, coords: Coords) -> Float[Tensor, "*batch seen"]:
        """Volume in Å³ of the atoms around each seen atom, weighted by exp(-r²/2s²)."""
        found = [self._scene(*piece).burial for piece in self._pieces(self.flat(coords), CUTOFF)]
        return torch.cat(found).reshape(*coords.shape[:-2], self.layout.n_seen)

    def forget(self) -> None:
        """Drop the neighbour lists."""
        self._neighbours = {}

    def compiled(self, backend: str = "inductor") -> CompiledSystem:
        """The same energy as one compiled graph: several times as fast, after a minute or two of compiling.

        Args:
            backend: Of `torch.compile`.
        """
        return CompiledSystem(self, backend)

    def flat(self, coords: Coords) -> Float[Tensor, "conformations atoms 3"]:
        """The coordinates as one row of conformations; constants follow their device and precision.

        Raises:
            TopologyMismatchError: The coordinates have another number of atoms.
        """
        if coords.shape[-2] != self.layout.n_atoms:
            raise TopologyMismatchError(self.layout.n_atoms, coords.shape[-2], "energy")
        self._move_to(coords)
        return coords.reshape(math.prod(coords.shape[:-2]), self.layout.n_atoms, 3)

    def seen_of(self, flat: Float[Tensor, "conformations atoms 3"]) -> Float[Tensor, "conformations seen 3"]:
        """The atoms that exert forces."""
        return flat if self._everything_is_seen else flat.index_select(1, self._index["seen"])

    @property
    def reach(self) -> float:
        """How far apart, in Å, atoms may be whose pair counts in the energy."""
        return max((term.reach(self.force_field.contacts) for term in self.force_field.terms), default=0.0)

    def neighbours_of(self, seen: Float[Tensor, "conformations seen 3"], reach: float | None = None) -> Neighbours:
        """All pairs that the energy of these conformations, and of others not far from them, is a sum over.

        Args:
            seen: The atoms that exert forces, in Å.
            reach: How far apart they may be, in Å, where that is more than the energy needs.
        """
        found = find_neighbours(
            seen,
            self._exclusions,
            self._index["types"],
            self._index["protein_of_atom"],
            self.layout.n_proteins,
            self.force_field.contacts,
            self.reach if reach is None else reach,
        )
        for term, bound in zip(self.force_field.terms, self._bound, strict=True):
            found.selected[term.name] = term.select(bound, found)
        return found

    def evaluated(
        self, flat: Float[Tensor, "conformations atoms 3"], neighbours: Neighbours
    ) -> Float[Tensor, "conformations proteins terms"]:
        """Energy by term, weighted, in kcal/mol: a pure function of coordinates and lists that hold for them."""
        owners, shares = self._shares(flat, neighbours)
        size = owners.conformations, self.layout.n_proteins
        parts = [_total([share.by_protein(owners) for share in one], flat, size) for one in shares]
        return torch.stack(parts, dim=-1) * self.force_field.weights.to(flat.dtype)

    def _by_protein(self, coords: Coords) -> Float[Tensor, "*batch_or_proteins terms"]:
        values = torch.cat([self.evaluated(*piece) for piece in self._pieces(self.flat(coords))])
        return values.reshape(*coords.shape[:-2], *values.shape[1 + self.alone :])

    def _pieces(
        self, flat: Float[Tensor, "conformations atoms 3"], reach: float = 0.0
    ) -> Iterator[tuple[Float[Tensor, "some atoms 3"], Neighbours]]:
        """A few conformations at a time, so that what is computed of their pairs stays in cache."""
        size, reach = max(1, ATOMS_AT_ONCE // max(self.layout.n_seen, 1)), max(reach, self.reach)
        pieces = flat.split(size)
        self._neighbours = {number: kept for number, kept in self._neighbours.items() if number < len(pieces)}
        for number, points in enumerate(pieces):
            seen, kept = self.seen_of(points), self._neighbours.pop(number, None)
            if kept is None or kept.reach < reach or not kept.holds(seen):
                kept = None  # makes room for the new list
                kept = self.neighbours_of(seen, reach)
            self._neighbours[number] = kept
            yield points, kept

    def _shares(
        self, flat: Float[Tensor, "conformations atoms 3"], neighbours: Neighbours
    ) -> tuple[Owners, list[Sequence[Share]]]:
        scene = self._scene(flat, neighbours)
        owners = Owners(
            scene.conformations,
            self._index["residue_of_atom"],
            self._index["protein_of_residue"],
            self.layout.n_proteins,
        )
        terms = zip(self.force_field.terms, self._bound, strict=True)
        return owners, [term(scene, bound, neighbours.selected[term.name]) for term, bound in terms]

    def _scene(self, flat: Float[Tensor, "conformations atoms 3"], neighbours: Neighbours) -> Scene:
        return Scene(self.seen_of(flat), neighbours, self._index["types"], self.force_field.contacts)

    def _move_to(self, coords: Coords) -> None:
        """Constants follow the coordinates' device, and keep a copy in their precision."""
        if self._place == (coords.device, coords.dtype):
            return
        self._place = coords.device, coords.dtype
        self._index = {name: index.to(coords.device) for name, index in self._index.items()}
        self._exclusions = self._exclusions.to(coords.device)
        self._bound = [cast(bound, coords) for bound in self._exact]
        self._neighbours = {}


def _mask(size: int, index: Integers) -> Bool[Tensor, "size"]:
    mask = torch.zeros(size, dtype=torch.bool)
    mask[torch.from_numpy(index)] = True
    return mask


def _total(parts: list[Tensor], coords: Coords, size: tuple[int, int]) -> Float[Tensor, "conformations owners"]:
    """Sum of the parts; of none, a zero whose gradient by the coordinates is zero."""
    if parts:
        return torch.stack(parts).sum(0)
    return coords[..., :0].sum() + coords.new_zeros(size)
