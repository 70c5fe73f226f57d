"""Bonds within residues that have a table: by name, whatever the distance."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..chem import RESIDUES, canonical_name
from .topology import Integers, Mask, Strings


class TableBonds(NamedTuple):
    """What the tables say: bonds, the atoms that they name, and the residues that they hold."""

    pairs: Integers  # bonds 2
    atoms: Mask
    residues: Mask


def table_bonds(atom_names: Strings, residue_of_atom: Integers, residue_names: Strings) -> TableBonds:
    """Bonds of known residues; a name that a residue has twice counts once."""
    template, slot = _slots(atom_names, residue_of_atom, residue_names)
    tables = _templates()
    atom_at = np.full((len(template), tables.most_atoms + 1), -1, dtype=np.int64)  # the last column is slot -1
    known = np.flatnonzero(slot >= 0)
    atom_at[residue_of_atom[known], slot[known]] = known
    residues = np.flatnonzero(template >= 0)
    pairs = atom_at[residues[:, None, None], tables.bonds[template[residues]]].reshape(-1, 2)
    return TableBonds(pairs[(pairs >= 0).all(-1)], slot >= 0, template >= 0)


@dataclass(frozen=True)
class _Templates:
    """Bonds of all residues with a table: local atom numbers, padded with -1."""

    index: dict[str, int]
    slots: tuple[dict[str, int], ...]
    bonds: Integers  # templates bonds 2
    most_atoms: int


@lru_cache(maxsize=1)
def _templates() -> _Templates:
    known = [residue for residue in RESIDUES.values() if residue.bonds]
    slots = []
    for residue in known:
        names = [atom.name for atom in residue.atoms]
        slots.append({name: number for number, name in enumerate(names)})
    bonds = np.full((len(known), max(len(residue.bonds) for residue in known) + 3, 2), -1, dtype=np.int64)
    for number, residue in enumerate(known):
        pairs = [(slots[number][a], slots[number][b]) for a, b, _ in residue.bonds]
        # Hydrogens of a chain's first N, by their PDB names; the dictionary's free acid says H and H2.
        if {"N", "CA"} <= slots[number].keys():
            for name in sorted({"H1", "H2", "H3"} - slots[number].keys()):
                slots[number][name] = len(slots[number])
                pairs.append((slots[number]["N"], slots[number][name]))
        bonds[number, : len(pairs)] = pairs
    index = {residue.name: number for number, residue in enumerate(known)}
    return _Templates(index, tuple(slots), bonds, max(len(one) for one in slots))


def _slots(atom_names: Strings, residue_of_atom: Integers, residue_names: Strings) -> tuple[Integers, Integers]:
    """Template of each residue and place of each atom in it, or -1; a name counts once a residue."""
    tables = _templates()
    names, name_of_residue = np.unique(residue_names, return_inverse=True)
    template = np.array([tables.index.get(canonical_name(str(name)), -1) for name in names])[name_of_residue]
    words, word_of_atom = np.unique(atom_names, return_inverse=True)
    places = np.full((len(tables.slots) + 1, len(words)), -1, dtype=np.int64)  # the last row is template -1
    for number in np.unique(template[template >= 0]).tolist():
        slots = tables.slots[number]
        places[number] = [slots.get(str(word), -1) for word in words]
    slot = places[template[residue_of_atom], word_of_atom]
    first = np.unique(residue_of_atom * len(words) + word_of_atom, return_index=True)[1]
    repeated = np.ones(len(slot), dtype=bool)
    repeated[first] = False
    slot[repeated] = -1
    return template, slot
