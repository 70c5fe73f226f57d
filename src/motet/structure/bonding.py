"""Which atoms are bonded: known residues by table, what joins them by distance, the rest by covalent radii."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64
from scipy.spatial import KDTree

from ..chem import ELEMENTS, RESIDUES, canonical_name, parent_of
from .topology import Integers, Mask, Strings

Floats: TypeAlias = Float64[np.ndarray, "..."]

PEPTIDE_REACH = 2.0  # Å: C-N is 1.33; a gap in the chain leaves 3 and more
DISULFIDE_REACH = 2.5  # Å: SG-SG is 2.03; cysteines that merely touch leave 3 and more
TOLERANCE = 0.45  # Å above the sum of covalent radii, as in the Cambridge Structural Database
CLOSEST = 0.4  # Å: below this two atoms are one atom written twice, not a bond
MOST_NEIGHBOURS = 12
UNKNOWN_RADIUS = 0.73  # Å, carbon's
NONMETALS = tuple("H B C N O F Si P S Cl As Se Br Te I At".split())


def bonds_of(
    atom_names: Strings,
    elements: Strings,
    residue_of_atom: Integers,
    residue_names: Strings,
    residue_kinds: Strings,
    chain_of_residue: Integers,
    coords: Floats,
) -> Integers:
    """Bonded atom pairs, `bonds 2`: smaller index first, sorted, each once.

    Known residues take theirs from the tables, whatever the distance. C-N of residues next to each other in a
    chain (and of its two ends, for a cycle) are bonded below 2.0 Å, and SG-SG below 2.5 Å. Atoms without a table
    (ligands, nucleic acids, atoms that a table does not name) are bonded where covalent radii touch; waters, ions
    and metals bind no other residue, and a hydrogen binds its nearest heavy atom.

    Args:
        atom_names: Name of each atom.
        elements: Element symbol of each atom.
        residue_of_atom: Residue index of each atom, not decreasing.
        residue_names: Name of each residue.
        residue_kinds: Kind of each residue, as in `Topology`.
        chain_of_residue: Chain index of each residue, not decreasing.
        coords: One conformation, `atoms 3`, in Å; atoms that are not finite get table bonds only.
    """
    if not len(atom_names):
        return np.zeros((0, 2), dtype=np.int64)
    template, slot = _slots(atom_names, residue_of_atom, residue_names)
    loose = (slot < 0) & ~_alone(residue_of_atom, residue_kinds)
    found = (
        _table_bonds(template, slot, residue_of_atom),
        _peptide_bonds(atom_names, residue_of_atom, residue_kinds, chain_of_residue, coords),
        _disulfides(atom_names, residue_of_atom, residue_names, coords),
        _touching(loose, elements, residue_of_atom, residue_kinds, template < 0, coords),
    )
    pairs = np.sort(np.concatenate(found), axis=1)
    code = np.unique(pairs[:, 0] * len(atom_names) + pairs[:, 1])
    return np.stack(np.divmod(code, len(atom_names)), axis=1)


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


def _table_bonds(template: Integers, slot: Integers, residue_of_atom: Integers) -> Integers:
    tables = _templates()
    atom_at = np.full((len(template), tables.most_atoms + 1), -1, dtype=np.int64)  # the last column is slot -1
    known = np.flatnonzero(slot >= 0)
    atom_at[residue_of_atom[known], slot[known]] = known
    residues = np.flatnonzero(template >= 0)
    pairs = atom_at[residues[:, None, None], tables.bonds[template[residues]]].reshape(-1, 2)
    return pairs[(pairs >= 0).all(-1)]


def _alone(residue_of_atom: Integers, residue_kinds: Strings) -> Mask:
    """Waters and ions of one atom: nothing to bond within, and nothing may bond from outside."""
    solvent = np.isin(residue_kinds, ("water", "ion"))
    single = np.bincount(residue_of_atom, minlength=len(residue_kinds)) == 1
    return (solvent & single)[residue_of_atom]


def _peptide_bonds(
    atom_names: Strings,
    residue_of_atom: Integers,
    residue_kinds: Strings,
    chain_of_residue: Integers,
    coords: Floats,
) -> Integers:
    """C of a residue to N of the next in its chain, and of a chain's last residue to its first."""
    protein = residue_kinds == "protein"
    residues = np.flatnonzero(protein)
    if not len(residues):
        return np.zeros((0, 2), dtype=np.int64)
    starts = np.flatnonzero(np.diff(chain_of_residue[residues], prepend=-1))
    ends = np.append(starts[1:], len(residues))
    after = np.arange(1, len(residues) + 1)
    after[ends - 1] = np.where(ends - starts > 2, starts, ends - 1)  # a cycle has three residues at least
    carbon, nitrogen = (_first_named(name, atom_names, residue_of_atom, protein) for name in ("C", "N"))
    pairs = np.stack([carbon[residues], nitrogen[residues[after]]], axis=1)
    pairs = pairs[(pairs >= 0).all(-1) & (residues != residues[after])]
    return pairs[_lengths(pairs, coords) < PEPTIDE_REACH]


def _first_named(name: str, atom_names: Strings, residue_of_atom: Integers, asked: Mask) -> Integers:
    """Index of each asked residue's first atom of that name, or -1."""
    index = np.full(len(asked), -1, dtype=np.int64)
    hits = np.flatnonzero((atom_names == name) & asked[residue_of_atom])[::-1]
    index[residue_of_atom[hits]] = hits
    return index


def _disulfides(
    atom_names: Strings, residue_of_atom: Integers, residue_names: Strings, coords: Floats
) -> Integers:
    """Each cysteine's SG to the SG nearest to it, where the choice is mutual."""
    cysteines = [name for name in np.unique(residue_names) if parent_of(str(name)) == "CYS"]
    sulphurs = (atom_names == "SG") & np.isin(residue_names, cysteines)[residue_of_atom]
    sulphurs = np.flatnonzero(sulphurs & np.isfinite(coords).all(-1))
    if len(sulphurs) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    found = KDTree(coords[sulphurs]).query(coords[sulphurs], k=2)
    distances, partners = np.asarray(found[0]), np.asarray(found[1], dtype=np.int64)
    own = np.arange(len(sulphurs))
    nearest = np.where(partners[:, 0] == own, partners[:, 1], partners[:, 0])
    mutual = (nearest[nearest] == own) & (distances[:, 1] < DISULFIDE_REACH) & (distances[:, 1] > CLOSEST)
    return np.stack([sulphurs, sulphurs[nearest]], axis=1)[mutual]


def _touching(
    loose: Mask, elements: Strings, residue_of_atom: Integers, residue_kinds: Strings, free: Mask, coords: Floats
) -> Integers:
    """Pairs within covalent reach of which one at least is loose; `free` says which residues have no table."""
    finite = np.flatnonzero(np.isfinite(coords).all(-1) & ~_alone(residue_of_atom, residue_kinds))
    asking = finite[loose[finite]]
    if not len(asking) or len(finite) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    radii, metal, hydrogen = _element_facts(elements)
    reach = float(radii[asking].max() + radii[finite].max() + TOLERANCE)
    nearest = min(MOST_NEIGHBOURS, len(finite))
    found = KDTree(coords[finite]).query(coords[asking], k=nearest, distance_upper_bound=reach)
    distances, hits = np.asarray(found[0]), np.asarray(found[1], dtype=np.int64)
    rows, columns = np.nonzero(np.isfinite(distances) & (distances > CLOSEST))
    i, j, length = asking[rows], finite[hits[rows, columns]], distances[rows, columns]
    solvent = np.isin(residue_kinds, ("water", "ion"))[residue_of_atom]
    shy = metal | solvent | hydrogen
    same = residue_of_atom[i] == residue_of_atom[j]
    across = (free[residue_of_atom[i]] | free[residue_of_atom[j]]) & ~shy[i] & ~shy[j]
    near = (length < radii[i] + radii[j] + TOLERANCE) & (same | across) & ~(hydrogen[i] & hydrogen[j])
    i, j, length = i[near], j[near], length[near]
    return np.stack([i, j], axis=1)[~_second_choice(i, j, length, hydrogen)]


def _second_choice(i: Integers, j: Integers, length: Floats, hydrogen: Mask) -> Mask:
    """Bonds of a hydrogen beyond its shortest."""
    shortest = np.full(len(hydrogen), np.inf)
    np.minimum.at(shortest, i, length)
    np.minimum.at(shortest, j, length)
    return (hydrogen[i] & (length > shortest[i])) | (hydrogen[j] & (length > shortest[j]))


def _element_facts(elements: Strings) -> tuple[Floats, Mask, Mask]:
    """Covalent radius in Å, whether it is a metal and whether hydrogen, of each atom."""
    symbols, of_atom = np.unique(elements, return_inverse=True)
    known = [ELEMENTS.get(str(symbol)) for symbol in symbols]
    radii = np.array([element.covalent_radius if element else UNKNOWN_RADIUS for element in known])
    metal = np.array([element is not None and element.symbol not in NONMETALS for element in known])
    return radii[of_atom], metal[of_atom], (symbols == "H")[of_atom]


def _lengths(pairs: Integers, coords: Floats) -> Floats:
    apart = coords[pairs[:, 0]] - coords[pairs[:, 1]]
    lengths = np.sqrt((apart * apart).sum(-1))
    return np.where(np.isfinite(lengths), lengths, np.inf)
