"""Which hydrogens each atom of a protein should have at pH 7, and which it lacks.

Carboxylates, phosphates and sulphates are bare, amines and guanidines full, cysteines full unless bound;
histidine has one proton, on ND1 where a better hydrogen bond waits for it than at NE2, else on NE2. A residue's
name in the file overrides this (HID, HIP, ASH, GLH, LYN, CYM, ...), and so do hydrogens that are there. The first
residue of a chain has H1, H2, H3; the last one's OXT is bare; a residue after a break keeps the H of its peptide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import KDTree

from ..chem import RESIDUES, canonical_name
from .assembly import first_model
from .bonding import NONMETALS
from .completion import chain_starts, described
from .ideals import is_planar
from .structure import Structure
from .topology import Integers, Mask, Topology

METAL_REACH = 2.8  # Å from a metal to the S or N that binds it
_ABSENT = {
    **dict.fromkeys(("HID", "HSD", "HISA", "HISD"), ("HE2",)),
    **dict.fromkeys(("HIE", "HSE", "HISB", "HISE"), ("HD1",)),
    **dict.fromkeys(("HIP", "HSP", "HISH"), ()),
    **dict.fromkeys(("CYX", "CYM", "CYS2"), ("HG",)),
    **dict.fromkeys(("LYN", "LSN", "LYSN"), ("HZ1",)),
}
_KEPT_ACID = {
    **dict.fromkeys(("ASH", "ASPP", "ASPH"), ("HD2",)),
    **dict.fromkeys(("GLH", "GLUP", "GLUH"), ("HE2",)),
}


@dataclass(frozen=True)
class Bare:
    """A heavy atom that lacks hydrogens: the names they will have, and what the atom is bonded to already."""

    atom: int
    residue: int
    names: tuple[str, ...]
    neighbours: tuple[int, ...]
    planar: bool
    loose: bool = False  # the N after a chain break, whose H has no peptide to lie in


def bare_atoms(structure: Structure, asked: Mask) -> list[Bare]:
    """Every heavy atom of the asked protein residues that lacks hydrogens."""
    topology = structure.topology
    shared = _Shared(structure)
    return [bare for residue in described(topology, asked) for bare in shared.bare_atoms_of(residue)]


class _Shared:
    """What all residues of one structure need to know of each other."""

    def __init__(self, structure: Structure) -> None:
        self.topology = structure.topology
        self.coords = first_model(structure)
        self.partners = partners_of(self.topology)
        self.near_metal = _near_metal(self.topology, self.coords)
        oxygens = np.flatnonzero(self.topology.elements == "O")
        self.oxygens = oxygens
        self.starts = chain_starts(self.topology)
        self.tree = KDTree(self.coords[oxygens]) if len(oxygens) else None

    def bare_atoms_of(self, residue: int) -> Iterator[Bare]:
        topology = self.topology
        name = canonical_name(str(topology.residue_names[residue]))
        known = RESIDUES[name]
        first, last = (int(value) for value in topology.first_atoms[residue : residue + 2])
        index = {str(topology.atom_names[atom]): atom for atom in range(first, last)}
        absent = self._absent(residue, index)
        for parent, names in _hydrogens_of(str(topology.residue_names[residue])).items():
            heavy = [other for other in known.neighbours[parent] if known.by_name[other].element != "H"]
            lost = [other for other in heavy if other not in index and other != "OXT"]
            if parent not in index or lost:
                continue
            atom, planar, loose = index[parent], is_planar(name, parent), False
            wanted = tuple(one for one in names if one not in absent)
            if parent == "N" and "CA" in known.by_name:
                wanted, planar, loose = self._amine(residue, atom, heavy)
            elif name != "NH2":
                wanted = wanted[: max(0, len(wanted) - self._outside(residue, atom))]
            names_there = {str(topology.atom_names[other]) for other in self._hydrogens(atom)}
            needed = len(wanted) - len(self._hydrogens(atom))
            missing = tuple(one for one in wanted if one not in names_there)
            if needed > 0 and self.partners[atom]:
                yield Bare(atom, residue, missing[-needed:], tuple(self.partners[atom]), planar, loose)

    def _hydrogens(self, atom: int) -> list[int]:
        return [other for other in self.partners[atom] if self.topology.is_hydrogen[other]]

    def _outside(self, residue: int, atom: int) -> int:
        """Bonds to other residues; a metal that binds a cysteine's sulphur takes its proton, too."""
        bonds = sum(int(self.topology.residue_of_atom[other]) != residue for other in self.partners[atom])
        return bonds + int(self.topology.elements[atom] == "S" and self.near_metal[atom])

    def _amine(self, residue: int, atom: int, heavy: list[str]) -> tuple[tuple[str, ...], bool, bool]:
        """Hydrogens of a backbone N; whether it is planar; whether it has no peptide to lie in."""
        topology = self.topology
        one = ("H",) if len(heavy) == 1 else ()
        if self._outside(residue, atom):
            return one, True, False
        if is_planar(canonical_name(str(topology.residue_names[residue])), "N"):
            return ("H",), True, False
        if not self.starts[residue]:
            return one, True, True
        return (("H1", "H2", "H3") if len(heavy) == 1 else ("H2", "H3")), False, False

    def _absent(self, residue: int, index: dict[str, int]) -> tuple[str, ...]:
        """Protons that this residue does not have: by its name, or, for histidine, by its surroundings."""
        written = str(self.topology.residue_names[residue])
        if canonical_name(written) != "HIS" or written in _ABSENT:
            return _ABSENT.get(written, ())
        if index.keys() & {"HD1", "HE2"}:
            return tuple({"HD1", "HE2"} - index.keys())
        if not {"ND1", "NE2", "CG", "CE1", "CD2"} <= index.keys():
            return ("HD1",)
        taken = [self.near_metal[index[nitrogen]] for nitrogen in ("ND1", "NE2")]
        if any(taken):
            return ("HD1",) if taken[0] else ("HE2",)
        delta = self._welcome(index["ND1"], index["CG"], index["CE1"])
        epsilon = self._welcome(index["NE2"], index["CD2"], index["CE1"])
        return ("HE2",) if delta > epsilon else ("HD1",)

    def _welcome(self, nitrogen: int, left: int, right: int) -> float:
        """How good a hydrogen bond a proton in the ring's plane finds here, 0 to 1."""
        if self.tree is None:
            return 0.0
        here = self.coords[nitrogen]
        out = 2 * here - self.coords[left] - self.coords[right]
        proton = here + out / max(float(np.linalg.norm(out)), 1e-6)
        near = self.oxygens[self.tree.query_ball_point(proton, 2.6)]
        apart = self.coords[near] - proton
        length = np.linalg.norm(apart, axis=-1)
        straight = (apart @ (proton - here)) / np.maximum(length, 1e-6)
        return float(np.max(np.clip(straight, 0, 1) ** 2 * np.exp(-(((length - 1.9) / 0.35) ** 2)), initial=0.0))


def partners_of(topology: Topology) -> list[list[int]]:
    """Bonded atoms of each atom."""
    partners: list[list[int]] = [[] for _ in range(topology.n_atoms)]
    for i, j in topology.bonds.tolist():
        partners[i].append(j)
        partners[j].append(i)
    return partners


@lru_cache(maxsize=256)
def _hydrogens_of(written: str) -> dict[str, tuple[str, ...]]:
    """Hydrogens of each heavy atom at pH 7, for a residue's name in the file; acids have lost theirs."""
    known = RESIDUES[canonical_name(written)]
    double = {frozenset((a, b)) for a, b, order in known.bonds if order == "2"}
    found: dict[str, tuple[str, ...]] = {}
    for atom in known.atoms:
        if atom.element == "H":
            continue
        beside = known.neighbours.get(atom.name, ())
        names = tuple(other for other in beside if known.by_name[other].element == "H")
        acid = atom.element == "O" and any(
            known.by_name[third].element == "O" and frozenset((middle, third)) in double
            for middle in beside
            for third in known.neighbours[middle]
            if third != atom.name
        )
        if acid:
            names = tuple(name for name in names if name in _KEPT_ACID.get(written, ()))
        if names or atom.name == "N":
            found[atom.name] = names
    return found


def _near_metal(topology: Topology, coords: np.ndarray) -> Mask:
    """Which atoms a metal binds."""
    near = np.zeros(topology.n_atoms, dtype=bool)
    metals: Integers = np.flatnonzero(~np.isin(topology.elements, NONMETALS))
    if len(metals):
        for hits in KDTree(coords).query_ball_point(coords[metals], METAL_REACH):
            near[hits] = True
    return near
