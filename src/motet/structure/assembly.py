"""New structures out of old atoms and new ones: what completion, hydrogens and mutation share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch

from ..chem import RESIDUES, canonical_name
from .bonding import bonds_of
from .structure import Structure
from .topology import Integers, Mask, Topology


@dataclass(frozen=True)
class NewAtom:
    """An atom to add: its residue, name and element."""

    residue: int
    name: str
    element: str


def with_atoms(structure: Structure, atoms: Sequence[NewAtom]) -> tuple[Structure, Integers, Integers]:
    """The structure with room for new atoms, at the origin, unbonded; and where the old and the new atoms are.

    Atoms of a residue that gains some stand in the dictionary's order; the others stay as they are. A new atom
    takes its residue's mean B factor (or pLDDT), and occupancy 1.
    """
    old = structure.topology
    residue = np.concatenate([old.residue_of_atom, np.array([atom.residue for atom in atoms], dtype=np.int64)])
    names = np.concatenate(
        [old.atom_names, np.array([atom.name for atom in atoms], dtype=old.atom_names.dtype.type)]
    )
    elements = np.concatenate(
        [old.elements, np.array([atom.element for atom in atoms], dtype=old.elements.dtype.type)]
    )
    order = _order(old, residue, names)
    new_place = np.empty(len(order), dtype=np.int64)
    new_place[order] = np.arange(len(order))
    topology = replace(
        old,
        atom_names=names[order],
        elements=elements[order],
        formal_charges=np.concatenate([old.formal_charges, np.zeros(len(atoms), dtype=np.int64)])[order],
        residue_of_atom=residue[order],
        bonds=sorted_bonds(new_place[old.bonds]),
    )
    index = torch.from_numpy(order)
    room = structure.coords.new_zeros((*structure.coords.shape[:-2], len(atoms), 3))
    b_factors = _mean_by_residue(structure)[torch.from_numpy(residue[old.n_atoms :])]
    grown = replace(
        structure,
        topology=topology,
        coords=torch.cat([structure.coords, room], dim=-2).index_select(-2, index.to(structure.coords.device)),
        b_factors=torch.cat([structure.b_factors, b_factors])[index],
        occupancies=torch.cat([structure.occupancies, structure.occupancies.new_ones(len(atoms))])[index],
    )
    return grown, new_place[: old.n_atoms], new_place[old.n_atoms :]


def rebonded(structure: Structure, touched: Mask) -> Structure:
    """The structure with the bonds of the touched atoms found anew in the first model; those it had are hints."""
    topology = structure.topology
    bonds = bonds_of(
        topology.atom_names,
        topology.elements,
        topology.residue_of_atom,
        topology.residue_names,
        topology.residue_kinds,
        topology.chain_of_residue,
        first_model(structure),
        hints=topology.bonds,
    )
    kept = topology.bonds
    if len(kept):
        kept = kept[~touched[kept].all(-1)]
    found = bonds[touched[bonds].any(-1)] if len(bonds) else bonds
    return replace(structure, topology=replace(topology, bonds=sorted_bonds(np.concatenate([kept, found]))))


def first_model(structure: Structure) -> np.ndarray:
    """Coordinates of the first conformation, in double precision; the only one asked for what all models share."""
    return structure.coords.detach().reshape(-1, structure.n_atoms, 3)[0].double().cpu().numpy()


def sorted_bonds(bonds: Integers) -> Integers:
    """Each pair once, smaller index first, in order."""
    return np.unique(np.sort(bonds.reshape(-1, 2), axis=1), axis=0).reshape(-1, 2).astype(np.int64)


def listed(labels: Sequence[str], most: int = 5) -> str:
    """Names for a sentence, cut short: `A:LEU14, A:LYS20 and 12 more`."""
    shown = ", ".join(labels[:most])
    return f"{shown} and {len(labels) - most} more" if len(labels) > most else shown


@lru_cache(maxsize=256)
def dictionary_order(residue: str) -> dict[str, int]:
    """Rank of each atom in the dictionary; H1, H2 and H3 of a first residue stand where its H stood."""
    known = RESIDUES.get(canonical_name(residue))
    ranks = {atom.name: 10 * rank for rank, atom in enumerate(known.atoms)} if known else {}
    if "H" in ranks and "N" in ranks:
        ranks |= {name: ranks["H"] + number for number, name in enumerate(("H1", "H2", "H3"), 1)}
    return ranks


def _order(old: Topology, residue: Integers, names: np.ndarray) -> np.ndarray:
    """Where every atom goes: by residue, then as before, or by the dictionary where something was added."""
    rank = np.arange(len(residue), dtype=np.int64)
    touched = np.zeros(old.n_residues, dtype=bool)
    touched[residue[old.n_atoms :]] = True
    for name in np.unique(old.residue_names[touched]):
        known = dictionary_order(str(name))
        rows = np.flatnonzero((touched & (old.residue_names == name))[residue])
        words, word_of_row = np.unique(names[rows], return_inverse=True)
        ranks = np.array([known.get(str(word), 1_000_000) for word in words])
        rank[rows] = ranks[word_of_row]
    return np.lexsort((np.arange(len(residue)), rank, residue))


def _mean_by_residue(structure: Structure) -> torch.Tensor:
    residue = torch.from_numpy(structure.topology.residue_of_atom.copy())
    sums = structure.b_factors.new_zeros(structure.n_residues).index_add(0, residue, structure.b_factors)
    counts = torch.bincount(residue, minlength=structure.n_residues).clamp(min=1)
    return sums / counts.to(sums)
