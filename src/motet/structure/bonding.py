"""Which atoms are bonded: known residues by table, what joins them by distance, the rest by covalent radii."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from ..chem import ELEMENTS
from .nearest import near_pairs
from .table_bonds import table_bonds
from .topology import Integers, Mask, Strings

Floats: TypeAlias = Float64[np.ndarray, "..."]

PEPTIDE_REACH = 2.0  # Å: C-N is 1.33; a gap in the chain leaves 3 and more
RING_REACH = 1.6  # Å between the ends of a chain, which may also lie on each other by mistake
DISULFIDE = 2.05  # Å
DISULFIDE_REACH = (1.5, 2.5)  # Å; cysteines that merely touch leave 3 and more
SLACK = 0.40  # Å above the sum of covalent radii within a residue
LINK_SLACK = 0.25  # Å above the sum of covalent radii between residues
CLOSEST = 0.5  # Å: below this two atoms are one atom written twice, not a bond
CLOSEST_LINK = 0.9  # Å, between residues
MOST_NEIGHBOURS = 12  # looked at; no atom has more bonds
NONMETALS = tuple("H B C N O F Si P S Cl As Se Br Te I At".split())
_NONE: Integers = np.zeros((0, 2), dtype=np.int64)


def bonds_of(
    atom_names: Strings,
    elements: Strings,
    residue_of_atom: Integers,
    residue_names: Strings,
    residue_kinds: Strings,
    chain_of_residue: Integers,
    coords: Floats,
    hints: Integers | None = None,
) -> Integers:
    """Bonded atom pairs, `bonds 2`: smaller index first, sorted, each once.

    Known residues take theirs from the tables, whatever the distance. C-N of residues next to each other in a
    chain are bonded below 2.0 Å, the two ends of a cyclic chain below 1.6 Å, and SG-SG below 2.5 Å, each SG once.
    Atoms without a table (ligands, nucleic acids, atoms that a table does not name) are bonded where covalent
    radii touch; metals bind within their own residue alone, waters and ions nobody else, and a hydrogen its
    nearest heavy atom. Any other two amino acids need a hint, and residues that touch at more than one pair of
    atoms lie on top of each other and are not bonded.

    Args:
        atom_names: Name of each atom.
        elements: Element symbol of each atom.
        residue_of_atom: Residue index of each atom, not decreasing.
        residue_names: Name of each residue.
        residue_kinds: Kind of each residue, as in `Topology`.
        chain_of_residue: Chain index of each residue, not decreasing.
        coords: One conformation, `atoms 3`, in Å; atoms that are not finite get table bonds only.
        hints: Atom pairs, `hints 2`, said to be bonded; those between residues are where they stand near enough.
    """
    if not len(atom_names):
        return _NONE
    atoms = _Atoms(atom_names, elements, residue_of_atom, residue_names, residue_kinds, chain_of_residue, coords)
    tables = table_bonds(atom_names, residue_of_atom, residue_names)
    near = _near(atoms, tables.atoms, tables.residues)
    inside = atoms.residue[near[:, 0]] == atoms.residue[near[:, 1]]
    pieces = (
        tables.pairs,
        _peptide_bonds(atoms),
        _disulfides(atoms),
        near[inside & ~tables.atoms[near].all(-1)],
        _hydrogens(atoms, tables.atoms),
    )
    known = _unique(np.concatenate(pieces), len(atom_names))
    free = ~tables.residues[atoms.residue[near]].all(-1)
    claimed = _NONE if hints is None else hints
    links = _links(atoms, np.concatenate([near[~inside & free], claimed, _rings(atoms)]), known)
    return _unique(np.concatenate([known, links]), len(atom_names))


@dataclass(frozen=True, eq=False)
class _Atoms:
    """What the search asks of the atoms."""

    names: Strings
    elements: Strings
    residue: Integers
    residue_names: Strings
    kinds: Strings
    chain_of_residue: Integers
    given: Floats

    @cached_property
    def coords(self) -> Floats:
        """Places, NaN where they are not finite."""
        return np.where(np.isfinite(self.given), self.given, np.nan)

    @cached_property
    def heavy(self) -> Mask:
        """Atoms that have a place and are no hydrogen."""
        return (self.elements != "H") & np.isfinite(self.coords).all(-1)

    @cached_property
    def metal(self) -> Mask:
        symbols, of_atom = self._symbols
        return np.array([symbol in ELEMENTS and symbol not in NONMETALS for symbol in symbols])[of_atom]

    @cached_property
    def solvent(self) -> Mask:
        return np.isin(self.kinds, ("water", "ion"))

    @cached_property
    def radii(self) -> Floats:
        """Covalent radii, in Å; of an unknown element, carbon's."""
        symbols, of_atom = self._symbols
        known = [ELEMENTS.get(symbol, ELEMENTS["C"]) for symbol in symbols]
        return np.array([element.covalent_radius for element in known])[of_atom]

    @cached_property
    def _symbols(self) -> tuple[list[str], Integers]:
        symbols, of_atom = np.unique(self.elements, return_inverse=True)
        return symbols.tolist(), of_atom

    def index(self, name: str) -> Integers:
        """Index of each residue's first atom of that name, or -1."""
        found = np.full(len(self.residue_names), -1, dtype=np.int64)
        hits = np.flatnonzero(self.names == name)[::-1]
        found[self.residue[hits]] = hits
        return found

    def lengths(self, pairs: Integers) -> Floats:
        """Distance of each pair; NaN where an atom has no place."""
        return np.linalg.norm(self.coords[pairs[:, 0]] - self.coords[pairs[:, 1]], axis=-1)

    def reach(self, pairs: Integers) -> Floats:
        """Sum of the covalent radii of each pair."""
        return self.radii[pairs].sum(-1)

    def touching(self, seekers: Integers, everyone: Integers, slack: float) -> tuple[Integers, Floats]:
        """Pairs (seeker, other) within covalent radii and slack, nearest first for each seeker; and how far."""
        reach = 2 * float(self.radii[everyone].max(initial=0.0)) + slack
        one, other, d = near_pairs(self.coords[seekers], self.coords[everyone], MOST_NEIGHBOURS, reach)
        pairs = np.stack([seekers[one], everyone[other]], axis=1)
        fits = (pairs[:, 0] != pairs[:, 1]) & (d < self.reach(pairs) + slack)
        return pairs[fits], d[fits]


def _near(atoms: _Atoms, named: Mask, tabled: Mask) -> Integers:
    """Heavy pairs at a bond's length that no table explains: one end in a residue without, or not named by it."""
    bare = ~tabled & ~atoms.solvent
    asking = atoms.heavy & (bare[atoms.residue] | (~named & tabled[atoms.residue]))
    if not asking.any():
        return _NONE
    solvent = atoms.solvent[atoms.residue]
    pairs, d = atoms.touching(np.flatnonzero(asking), np.flatnonzero(atoms.heavy & ~solvent), SLACK)
    pairs = pairs[d > CLOSEST]
    metals = atoms.metal[pairs].sum(-1)
    same = atoms.residue[pairs[:, 0]] == atoms.residue[pairs[:, 1]]
    return pairs[(metals == 0) | ((metals == 1) & same)]


def _peptide_bonds(atoms: _Atoms) -> Integers:
    """C of a residue to N of the next one of its chain, where they touch."""
    carbon, nitrogen = atoms.index("C")[:-1], atoms.index("N")[1:]
    protein = (atoms.kinds[:-1] == "protein") & (atoms.kinds[1:] == "protein")
    asked = protein & (np.diff(atoms.chain_of_residue) == 0) & (carbon >= 0) & (nitrogen >= 0)
    pairs = np.stack([carbon, nitrogen], axis=1)[asked]
    return pairs[atoms.lengths(pairs) < PEPTIDE_REACH]


def _rings(atoms: _Atoms) -> Integers:
    """N of the first and C of the last amino acid of a chain, for cyclic peptides."""
    protein = np.flatnonzero(atoms.kinds == "protein")
    if not len(protein):
        return _NONE
    starts = np.diff(atoms.chain_of_residue[protein], prepend=-1) != 0
    first, last = protein[starts], protein[np.append(starts[1:], True)]
    pairs = np.stack([atoms.index("N")[first], atoms.index("C")[last]], axis=1)
    pairs = pairs[(pairs >= 0).all(-1) & (last - first >= 2)]
    return pairs[atoms.lengths(pairs) < RING_REACH]


def _disulfides(atoms: _Atoms) -> Integers:
    """SG-SG pairs at a bond's length, each SG once, within a chain before across chains."""
    sulphurs = np.flatnonzero((atoms.names == "SG") & (atoms.elements == "S") & atoms.heavy)
    places = atoms.coords[sulphurs]
    one, other, d = near_pairs(places, places, MOST_NEIGHBOURS, DISULFIDE_REACH[1])
    apart = (one < other) & (d > DISULFIDE_REACH[0])
    i, j, d = sulphurs[one[apart]], sulphurs[other[apart]], d[apart]
    chain = atoms.chain_of_residue[atoms.residue]
    order = np.lexsort((np.abs(d - DISULFIDE), chain[i] != chain[j]))
    taken: set[int] = set()
    pairs = []
    for a, b in zip(i[order].tolist(), j[order].tolist(), strict=True):
        if not {a, b} & taken:
            taken |= {a, b}
            pairs.append((a, b))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _hydrogens(atoms: _Atoms, named: Mask) -> Integers:
    """Hydrogens that no table names, each to the nearest heavy atom of its residue."""
    free = (atoms.elements == "H") & ~named & np.isfinite(atoms.coords).all(-1)
    if not free.any():
        return _NONE
    pairs, _ = atoms.touching(np.flatnonzero(free), np.flatnonzero(atoms.heavy), SLACK)
    pairs = pairs[atoms.residue[pairs[:, 0]] == atoms.residue[pairs[:, 1]]]
    return pairs[np.unique(pairs[:, 0], return_index=True)[1]]


def _links(atoms: _Atoms, candidates: Integers, known: Integers) -> Integers:
    """Those bonds between residues that stand at a bond's length, alone between their two residues."""
    if not len(candidates):
        return _NONE
    plain = (atoms.heavy & ~atoms.metal)[candidates].all(-1)
    between = candidates[plain & (atoms.residue[candidates[:, 0]] != atoms.residue[candidates[:, 1]])]
    between = _unique(between, len(atoms.names))
    between = between[~np.isin(_code(between, len(atoms.names)), _code(known, len(atoms.names)))]
    d = atoms.lengths(between)
    between = between[(d < atoms.reach(between) + LINK_SLACK) & (d > CLOSEST_LINK)]
    if not len(between):
        return between
    return between[_contacts(atoms, between) <= 1]


def _contacts(atoms: _Atoms, pairs: Integers) -> Integers:
    """Number of heavy pairs at a bond's length between the two residues of each pair; coincident atoms count."""
    asked = np.zeros(len(atoms.residue_names), dtype=bool)
    asked[atoms.residue[pairs]] = True
    members = np.flatnonzero(asked[atoms.residue] & atoms.heavy & ~atoms.metal)
    found, _ = atoms.touching(members, members, LINK_SLACK)
    keys, counts = np.unique(_residue_code(atoms, found), return_counts=True)
    wanted = _residue_code(atoms, pairs)
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place] // 2, 0)  # each pair was found from both ends


def _residue_code(atoms: _Atoms, pairs: Integers) -> Integers:
    return _code(np.sort(atoms.residue[pairs], axis=1), len(atoms.residue_names))


def _unique(pairs: Integers, count: int) -> Integers:
    code = np.unique(_code(np.sort(pairs, axis=1), count))
    return np.stack(np.divmod(code, count), axis=1)


def _code(pairs: Integers, count: int) -> Integers:
    return pairs[:, 0] * count + pairs[:, 1]
