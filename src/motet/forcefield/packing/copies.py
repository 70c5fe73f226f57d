"""A layout in which every copy of a side chain is a residue, so that the terms can be asked about it."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ..layout import Integers, Layout, Mask
from ..neighbours import Exclusions, exclusions_of
from .slots import Slots


@dataclass(frozen=True, eq=False)
class Copies:
    """The protein as it is, followed by the copies.

    Args:
        layout: Seen atoms of the protein, then those of the copies; each copy is a residue in a chain of its own.
        origin: Seen atom of the protein that each atom is, or is a copy of.
        copy: Copy of each atom; -1 for the protein's.
        slot: Slot of each atom; -1 for atoms that stay. The protein's own turning atoms have their slot, too.
        exclusions: Bonded pairs between copies and the protein, and within copies.
    """

    layout: Layout
    origin: Integers
    copy: Integers
    slot: Integers
    exclusions: Exclusions


def with_copies(base: Layout, slots: Slots) -> Copies:
    """The layout of a protein with all copies of its slots behind it."""
    n = base.n_seen
    sides, count = slots.side_chains, int(slots.first_copy[-1])
    copied = [np.tile(side, times) for side, times in zip(sides, slots.copies, strict=True)]
    origin = np.concatenate((np.arange(n), *copied))
    sizes = np.repeat(slots.sizes, slots.copies)
    copy = np.concatenate((np.full(n, -1), np.repeat(np.arange(count), sizes)))
    slot = np.full(n, -1)
    for number, side in enumerate(sides):
        slot[side] = number
    slot = np.concatenate((slot, np.repeat(slots.slot_of_copy, sizes)))
    spread = _Spread(n, slots, sides, slot)
    owner = np.repeat(slots.residue, slots.copies)
    layout = replace(
        base,
        n_atoms=base.n_atoms + len(origin) - n,
        n_residues=base.n_residues + count,
        seen=np.concatenate((base.seen, base.n_atoms + np.arange(len(origin) - n))),
        names=base.names[origin],
        elements=base.elements[origin],
        residue_of_atom=np.concatenate((base.residue_of_atom, base.n_residues + copy[n:])),
        residue_names=np.concatenate((base.residue_names, base.residue_names[owner])),
        parents=np.concatenate((base.parents, base.parents[owner])),
        kinds=np.concatenate((base.kinds, base.kinds[owner])),
        follows=np.concatenate((base.follows, np.zeros(count, dtype=bool))),
        chain_of_residue=np.concatenate(
            (base.chain_of_residue, base.chain_of_residue.max(initial=-1) + 1 + np.arange(count))
        ),
        protein_of_residue=np.concatenate((base.protein_of_residue, base.protein_of_residue[owner])),
        bonds=np.concatenate((base.bonds, spread.pairs(base.bonds))),
        start=base.start[origin],
    )
    found = exclusions_of(base)
    bonded, near = (
        _packed(spread.pairs(_unpacked(pairs.numpy(), n)), len(origin)) for pairs in (found.bonded, found.near)
    )
    return Copies(layout, origin, copy, slot, Exclusions(bonded, near, len(origin)))


class _Spread:
    """Pairs of the protein's atoms, repeated for the copies of those that turn."""

    def __init__(self, n: int, slots: Slots, sides: tuple[Integers, ...], slot: Integers) -> None:
        self.slots, self.slot = slots, slot[:n]
        self.place = np.zeros(n, dtype=np.int64)  # within the side chain
        for side in sides:
            self.place[side] = np.arange(len(side))
        self.start = n + slots.first_atom[:-1]

    def pairs(self, pairs: Integers) -> Integers:
        """Pairs of which one or both turn; of two that turn, only within one copy."""
        i, j = pairs.reshape(-1, 2).T
        turning: Mask = (self.slot[i] >= 0) | (self.slot[j] >= 0)
        apart = (self.slot[i] >= 0) & (self.slot[j] >= 0) & (self.slot[i] != self.slot[j])
        i, j = i[turning & ~apart], j[turning & ~apart]
        owner = np.where(self.slot[i] >= 0, self.slot[i], self.slot[j])
        times = self.slots.copies[owner]
        row = np.repeat(np.arange(len(i)), times)
        number = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        copy = self.slots.first_copy[owner[row]] + number
        return np.sort(np.stack([self._atom(k[row], copy) for k in (i, j)], axis=-1), axis=-1)

    def _atom(self, atoms: Integers, copy: Integers) -> Integers:
        if not len(copy):
            return atoms
        return np.where(self.slot[atoms] >= 0, self.start[copy] + self.place[atoms], atoms)


def _unpacked(keys: Integers, atoms: int) -> Integers:
    return np.stack((keys // max(atoms, 1), keys % max(atoms, 1)), axis=-1)


def _packed(pairs: Integers, atoms: int) -> Int[Tensor, "pairs"]:
    return torch.from_numpy(np.sort(pairs[:, 0] * atoms + pairs[:, 1]))
