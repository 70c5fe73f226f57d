"""Side chains that may turn, and a copy of each in every rotamer."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...chem import RESIDUES, ROTAMERS, Rotamer, chis_of
from ...geometry import dihedral
from ...structure.placement import place
from ...structure.recipes import Recipe, recipe
from ..layout import Integers, Layout, Mask

STEM = ("N", "CA", "C", "O", "CB")  # stays; what lies beyond is a copy's
RIGID = ("ALA", "GLY", "PRO")  # nothing beyond CB turns without breaking a ring


@dataclass(frozen=True, eq=False)
class Kind:
    """Slots of one residue type, built together.

    Args:
        name: The residue type.
        steps: How its side chain is built upon the stem.
        slots: Which slots.
        stem: Seen atoms of the stem of each, `slots 5`.
        side: Seen atoms beyond CB, in the order of the recipe, `slots atoms`.
        rotamers: The library's rotamers.
        native: Whether the side chain as it is may be chosen; it is the last copy then.
    """

    name: str
    steps: Recipe
    slots: Integers
    stem: Integers
    side: Integers
    rotamers: tuple[Rotamer, ...]
    native: bool


@dataclass(frozen=True, eq=False)
class Slots:
    """Residues whose side chain may turn; copies of one slot follow each other, the atoms of one copy too.

    Args:
        residue: Residue of each slot.
        kinds: The slots by residue type.
        copies: Number of copies of each slot.
        sizes: Atoms beyond CB of each slot.
    """

    residue: Integers
    kinds: tuple[Kind, ...]
    copies: Integers
    sizes: Integers

    def __len__(self) -> int:
        return len(self.residue)

    @property
    def first_copy(self) -> Integers:
        """First copy of each slot, and the number of all at the end."""
        return np.concatenate(([0], np.cumsum(self.copies)))

    @property
    def slot_of_copy(self) -> Integers:
        """Slot of each copy."""
        return np.repeat(np.arange(len(self)), self.copies)

    @property
    def first_atom(self) -> Integers:
        """First atom of each copy, counted over the copies' atoms, and the number of all at the end."""
        return np.concatenate(([0], np.cumsum(np.repeat(self.sizes, self.copies))))

    @property
    def side_chains(self) -> tuple[Integers, ...]:
        """Seen atoms beyond CB of each slot, in the order in which copies hold them."""
        found: list[Integers] = [np.zeros(0, dtype=np.int64)] * len(self)
        for kind in self.kinds:
            for slot, atoms in zip(kind.slots.tolist(), kind.side, strict=True):
                found[slot] = atoms
        return tuple(found)


def slots_of(layout: Layout, residues: Iterable[int], native: Mask) -> Slots:
    """Slots of those residues that can turn: whole, of the twenty, and bonded to no other side chain.

    `native` marks the residues, of all, whose side chain may also stay as it is.
    """
    held = _cross_linked(layout)
    rows: dict[tuple[str, bool], list[int]] = defaultdict(list)
    chosen: list[int] = []
    for residue in sorted(set(residues)):
        name = str(layout.residue_names[residue])
        if layout.kinds[residue] == "protein" and name in ROTAMERS and name not in RIGID and residue not in held:
            present = layout.atoms_of_residue[residue].keys()
            if present >= {*STEM, *RESIDUES[name].heavy_names}:
                rows[name, bool(native[residue])].append(len(chosen))
                chosen.append(residue)
    copies, sizes = np.zeros(len(chosen), dtype=np.int64), np.zeros(len(chosen), dtype=np.int64)
    kinds = []
    for (name, stays), slots in sorted(rows.items()):
        steps = _recipe(name)
        own = [layout.atoms_of_residue[chosen[slot]] for slot in slots]
        side = np.array([[atoms[step.atom] for step in steps.steps] for atoms in own], dtype=np.int64)
        stem = np.array([[atoms[atom] for atom in STEM] for atoms in own], dtype=np.int64)
        kinds.append(Kind(name, steps, np.array(slots), stem, side, ROTAMERS[name], stays))
        copies[slots], sizes[slots] = len(ROTAMERS[name]) + stays, side.shape[1]
    return Slots(np.array(chosen, dtype=np.int64), tuple(kinds), copies, sizes)


def copied(
    slots: Slots, coords: Float[Tensor, "conformations seen 3"]
) -> tuple[Float[Tensor, "conformations atoms 3"], Float[Tensor, "conformations copies"]]:
    """Places in Å of the atoms of all copies, and -ln of how often each copy's rotamer occurs."""
    points = coords.new_zeros(len(coords), int(slots.first_atom[-1]), 3)
    rarity = coords.new_zeros(len(coords), int(slots.first_copy[-1]))
    for kind in slots.kinds:
        built = _built(kind, coords)
        costs = coords.new_tensor([-math.log(one.frequency) for one in kind.rotamers])
        costs = costs.expand(len(coords), len(kind.slots), -1)
        if kind.native:
            now = coords[:, torch.from_numpy(kind.side)][:, :, None]
            built = torch.cat((built, now), dim=2)
            costs = torch.cat((costs, costs.gather(-1, _nearest(kind, coords)[..., None])), dim=-1)
        copies = slots.first_copy[kind.slots][:, None] + np.arange(built.shape[2])
        atoms = slots.first_atom[copies][..., None] + np.arange(built.shape[3])
        points[:, torch.from_numpy(atoms)] = built
        rarity[:, torch.from_numpy(copies)] = costs
    return points, rarity


def chosen_copies(
    slots: Slots, coords: Float[Tensor, "conformations seen 3"], chosen: Int[Tensor, "conformations slots"]
) -> Float[Tensor, "conformations seen 3"]:
    """The seen atoms with each slot's side chain where the chosen copy has it."""
    points, coords = copied(slots, coords)[0], coords.clone()
    rows = torch.arange(len(coords), device=coords.device)[:, None, None]
    first, start = (torch.from_numpy(one).to(coords.device) for one in (slots.first_copy, slots.first_atom))
    for kind in slots.kinds:
        numbers = torch.from_numpy(kind.slots).to(coords.device)
        copy = first[numbers] + chosen[:, numbers]
        atoms = start[copy][..., None] + torch.arange(kind.side.shape[1], device=coords.device)
        coords[rows, torch.from_numpy(kind.side).to(coords.device)] = points[rows, atoms]
    return coords


def _recipe(name: str) -> Recipe:
    wanted = tuple(atom for atom in RESIDUES[name].heavy_names if atom not in STEM)
    return recipe(name, frozenset(STEM), wanted)


def _cross_linked(layout: Layout) -> set[int]:
    """Residues with a bond to another that is no peptide bond, such as cysteines of a disulfide."""
    first, second = layout.residue_of_atom[layout.bonds].T if len(layout.bonds) else np.zeros((2, 0), dtype=int)
    names = np.sort(layout.names[layout.bonds], axis=-1)
    peptide = (names == ("C", "N")).all(-1) if len(names) else np.zeros(0, dtype=bool)
    across = (first != second) & ~peptide
    return {*first[across].tolist(), *second[across].tolist()}


def _built(
    kind: Kind, coords: Float[Tensor, "conformations seen 3"]
) -> Float[Tensor, "conformations slots rotamers atoms 3"]:
    """Every rotamer upon the stem, by ideal lengths and angles."""
    chis = coords.new_tensor([one.chis for one in kind.rotamers])
    stem = coords[:, torch.from_numpy(kind.stem)][:, :, None]
    at = {name: stem[..., number, :] for number, name in enumerate(STEM)}
    for step in kind.steps.steps:
        torsion: Tensor | float = step.torsion
        if step.turn >= 0:
            turn = kind.steps.turns[step.turn]
            torsion = chis[:, turn.chi - 1] + (step.torsion - turn.ideal)
        at[step.atom] = place(at[step.a], at[step.b], at[step.c], step.length, step.angle, torsion)
    widest = (len(coords), len(kind.slots), len(kind.rotamers), 3)
    return torch.stack([at[step.atom].expand(widest) for step in kind.steps.steps], dim=-2)


def _nearest(kind: Kind, coords: Float[Tensor, "conformations seen 3"]) -> Tensor:
    """Rotamer that each side chain as it is comes nearest to: `conformations slots`."""
    index = dict(zip(STEM, kind.stem.T, strict=True))
    index |= {step.atom: atoms for step, atoms in zip(kind.steps.steps, kind.side.T, strict=True)}
    away = coords.new_zeros(len(coords), len(kind.slots), len(kind.rotamers))
    for number, chi in enumerate(chis_of(kind.name)):
        angle = dihedral(*(coords[:, torch.from_numpy(index[atom])] for atom in chi.atoms))
        period = 2.0 if chi.symmetric else 1.0
        well = coords.new_tensor([one.chis[number] for one in kind.rotamers])
        away = away + 1.0 - torch.cos(period * (angle[..., None] - well))
    return away.argmin(-1)
