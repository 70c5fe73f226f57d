"""What each copy of a side chain costs by itself, and what two of them cost together: the terms' own energies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..conditions import Conditions
from ..layout import Layout
from ..neighbours import Neighbours, contains
from ..scene import Scene
from ..separation import Pairs
from ..shares import PairShare
from ..terms.term import cast
from .blocks import Blocks, atom_pairs, pieces, touching
from .copies import Copies, with_copies
from .slots import Slots, copied

if TYPE_CHECKING:
    from ..field import ForceField

PAIRS_AT_ONCE = 4_000_000
BOND_REACH = 5.0  # Å: atoms three bonds apart are nearer than this
NEVER = 1e6  # kcal/mol: cost of a place in a table that stands for no copy


@dataclass(frozen=True, eq=False)
class Tables:
    """Energies of copies, in kcal/mol; the best copies of each slot come first, places that are left cost `NEVER`.

    Args:
        alone: Energy of each copy with itself and with everything that does not turn.
        rotamer: Number within its slot of the copy that stands in each place.
        source: Slot that each edge leaves.
        target: Slot that each edge leads to; every pair of slots that meet has an edge each way.
        together: Energy of a copy of the source (first) with a copy of the target (last).
    """

    alone: Float[Tensor, "conformations slots places"]
    rotamer: Int[Tensor, "conformations slots places"]
    source: Int[Tensor, "edges"]
    target: Int[Tensor, "edges"]
    together: Float[Tensor, "conformations edges places places"]

    def energies(
        self, chosen: Int[Tensor, "conformations walkers slots"]
    ) -> Float[Tensor, "conformations walkers"]:
        """Energy of whole choices."""
        alone = self.alone[:, None].expand(-1, chosen.shape[1], -1, -1).gather(-1, chosen[..., None]).squeeze(-1)
        rows = torch.arange(len(chosen), device=chosen.device)[:, None, None]
        edges = torch.arange(len(self.source), device=chosen.device)
        pairs = self.together[rows, edges, chosen[..., self.source], chosen[..., self.target]]
        return alone.sum(-1) + 0.5 * pairs.sum(-1)


class Packer:
    """The copies of some slots of a layout, ready to be weighed in any of its conformations.

    Seen are the terms that say they `pack`; they act between atoms of two residues and ask nothing of the whole.

    Args:
        field: The force field.
        base: The protein's layout.
        slots: What may turn.
        conditions: Temperature, salt, pH.
        reach: Distance in Å up to which atoms see each other.
        most: Copies kept of each slot, the best by themselves.
    """

    def __init__(
        self,
        field: "ForceField",
        base: Layout,
        slots: Slots,
        conditions: Conditions,
        reach: float,
        most: int,
    ) -> None:
        self.field, self.slots, self.conditions, self.reach = field, slots, conditions, reach
        self.places = min(most, int(slots.copies.max(initial=1)))
        self.copies = with_copies(base, slots)
        layout = self.copies.layout
        self.atoms = layout.n_seen
        self.terms = [
            (term, term.bind(layout, conditions), float(weight))
            for term, weight in zip(field.terms, field.weights.detach(), strict=True)
            if term.packs
        ]
        names = dict(zip(field.names, field.weights.detach().tolist(), strict=True))
        self.library_weight = names.get("rotamer", 1.0) * conditions.thermal_energy
        self._index = {
            "types": torch.from_numpy(field.contacts.types_of(layout)),
            "copy": torch.from_numpy(self.copies.copy),
            "slot_of_copy": torch.from_numpy(slots.slot_of_copy),
            "first_copy": torch.from_numpy(slots.first_copy),
            "protein_of_atom": torch.from_numpy(layout.protein_of_atom),
        }
        self._staying, self._turning = _blocks(base, self.copies, slots)
        self._proteins = layout.n_proteins
        self.protein_of_slot = torch.from_numpy(base.protein_of_residue[slots.residue])

    def tables(self, coords: Float[Tensor, "conformations seen 3"]) -> Tables:
        """The tables of some conformations of the protein's seen atoms."""
        with torch.no_grad():
            points, rarity = copied(self.slots, coords)
            points = torch.cat((coords, points), dim=1)
            scene = _Evaluation(self, points)
            alone = self.library_weight * rarity
            alone = alone + scene.alone()
            return scene.tables(alone)


class _Evaluation:
    """One batch of conformations, with everything on their device."""

    def __init__(self, packer: Packer, points: Float[Tensor, "conformations atoms 3"]) -> None:
        self.packer, self.points = packer, points
        device = points.device
        self.index = {name: one.to(device) for name, one in packer._index.items()}
        self.staying, self.turning = packer._staying.to(device), packer._turning.to(device)
        self.exclusions = packer.copies.exclusions.to(device)
        self.terms = [(term, cast(bound, points), weight) for term, bound, weight in packer.terms]

    def alone(self) -> Float[Tensor, "conformations copies"]:
        """Energy of each copy with itself and with what stays."""
        copies = len(self.turning.size)
        sums = self.points.new_zeros(len(self.points) * copies)
        rows = torch.arange(len(self.points), device=sums.device).repeat_interleave(copies)
        here = torch.arange(copies, device=sums.device).repeat(len(self.points))
        touches = (
            (self.staying, touching(self.turning, self.staying, self.points, self.packer.reach)),
            (self.turning, (rows, here, here)),
        )
        for others, found in touches:
            for i, j in self._pairs(others, *found):
                if others is self.turning:
                    i, j = i[i < j], j[i < j]
                for values, first, _ in self._shares(i, j):
                    owner = first // self.packer.atoms * copies + self.index["copy"][first % self.packer.atoms]
                    sums.index_add_(0, owner, values)
        return sums.reshape(len(self.points), copies)

    def tables(self, alone: Float[Tensor, "conformations copies"]) -> Tables:
        """The best copies of each slot, and what each two of them cost together."""
        kept, rotamer, place = self._best(alone)
        present = place >= 0
        conformation, a, b = touching(
            self.turning, self.turning, self.points, self.packer.reach, (present, present)
        )
        slot = self.index["slot_of_copy"]
        apart = slot[a] < slot[b]
        conformation, a, b = conformation[apart], a[apart], b[apart]
        edges, slots = self._edges(slot[a], slot[b])
        places, half = self.packer.places, len(edges[0])
        size = len(self.points), 2 * half, places, places
        together = self.points.new_zeros(len(self.points) * half * places * places)
        for i, j in self._pairs(self.turning, conformation, a, b):
            for values, first, second in self._shares(i, j):
                row = first // self.packer.atoms
                left, right = (self.index["copy"][k % self.packer.atoms] for k in (first, second))
                swapped = slot[left] > slot[right]
                left, right = torch.where(swapped, right, left), torch.where(swapped, left, right)
                edge = slots[slot[left], slot[right]]
                cell = (row * half + edge) * places + place[row, left]
                together.index_add_(0, cell * places + place[row, right], values)
        forward = together.reshape(len(self.points), half, places, places)
        both = torch.cat((forward, forward.mT), dim=1).reshape(size)
        return Tables(kept, rotamer, torch.cat(edges), torch.cat(edges[::-1]), both)

    def _best(self, alone: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Energies and rotamers of the copies that are kept, and the place of each copy, -1 if it is not."""
        slots, first = self.packer.slots, self.index["first_copy"]
        slot = self.index["slot_of_copy"]
        wide = alone.new_full((len(alone), len(slots), int(slots.copies.max(initial=1))), NEVER)
        number = torch.arange(len(slot), device=alone.device) - first[slot]
        wide[:, slot, number] = alone.clamp_max(0.5 * NEVER)
        kept, rotamer = wide.sort(dim=-1, stable=True)
        kept, rotamer = kept[..., : self.packer.places], rotamer[..., : self.packer.places]
        place = torch.full(wide.shape, -1, dtype=torch.int64, device=alone.device)
        order = torch.arange(self.packer.places, device=alone.device).expand_as(rotamer)
        place = place.scatter(-1, rotamer, order)
        return kept, rotamer, place[:, slot, number]

    def _edges(self, a: Tensor, b: Tensor) -> tuple[tuple[Tensor, Tensor], Int[Tensor, "slots slots"]]:
        """Pairs of slots that meet in some conformation, and the number of each."""
        count = len(self.packer.slots)
        code = (a * count + b).unique()
        number = torch.full((count * count,), -1, dtype=torch.int64, device=a.device)
        number[code] = torch.arange(len(code), device=a.device)
        return (code // max(count, 1), code % max(count, 1)), number.reshape(count, count)

    def _pairs(
        self, others: Blocks, conformation: Tensor, a: Tensor, b: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Atoms of touching blocks within reach, in pieces that fit into memory."""
        for part in pieces(self.turning.size[a] * others.size[b], PAIRS_AT_ONCE):
            yield atom_pairs(
                self.turning, others, conformation[part], a[part], b[part], self.points, self.packer.reach
            )

    def _shares(self, i: Tensor, j: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Weighted energies of these pairs, by term, and the atoms of each; a copy's atom comes first."""
        neighbours = self._neighbours(i, j)
        scene = Scene(self.points, neighbours, self.index["types"], self.packer.field.contacts)
        copy, atoms = self.index["copy"], self.packer.atoms
        for term, bound, weight in self.terms:
            for share in term(scene, bound, term.select(bound, neighbours)):
                if isinstance(share, PairShare) and len(share.values):
                    turned = copy[share.i % atoms] < 0
                    first = torch.where(turned, share.j, share.i)
                    second = torch.where(turned, share.i, share.j)
                    yield weight * share.values, first, second

    def _neighbours(self, i: Tensor, j: Tensor) -> Neighbours:
        atoms = self.packer.atoms
        i, j = torch.minimum(i, j), torch.maximum(i, j)
        flat = self.points.reshape(-1, 3)
        close = ((flat[i] - flat[j]).square().sum(-1) < BOND_REACH**2).nonzero().squeeze(-1)
        key = i[close] % atoms * atoms + j[close] % atoms
        keep, near = torch.ones_like(i, dtype=torch.bool), torch.zeros_like(i, dtype=torch.bool)
        keep[close] = ~contains(self.exclusions.bonded, key)
        near[close] = contains(self.exclusions.near, key)
        i, j, near = i[keep], j[keep], near[keep]
        types = self.index["types"]
        code = self.packer.field.contacts.code(types[i % atoms], types[j % atoms], near)
        protein = i // atoms * self.packer._proteins + self.index["protein_of_atom"][i % atoms]
        return Neighbours(_forward_only(i, j), code, near, protein, self.points, {})


def _forward_only(i: Tensor, j: Tensor) -> Pairs:
    """Pairs without what their gradient would need."""
    nothing = i[:0]
    return Pairs(i, j, nothing, nothing.float(), nothing)


def _blocks(base: Layout, copies: Copies, slots: Slots) -> tuple[Blocks, Blocks]:
    """What stays of each residue, and the copies."""
    stays = np.flatnonzero(copies.slot[: base.n_seen] < 0)
    residues, start = np.unique(base.residue_of_atom[stays], return_index=True)
    size = np.diff(np.append(start, len(stays)))
    owner = slots.residue[slots.slot_of_copy]
    staying = (stays, start, size, base.protein_of_residue[residues])
    turning = (
        base.n_seen + np.arange(int(slots.first_atom[-1])),
        slots.first_atom[:-1],
        np.diff(slots.first_atom),
        base.protein_of_residue[owner],
    )
    return _as_blocks(staying), _as_blocks(turning)


def _as_blocks(columns: tuple[np.ndarray, ...]) -> Blocks:
    return Blocks(*(torch.from_numpy(np.ascontiguousarray(one)) for one in columns))
