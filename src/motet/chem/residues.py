"""Residues: the twenty, the modified ones with their parent, caps, and what else a file may hold.

Source: the wwPDB Chemical Component Dictionary (CC0), by `scripts/tables/residues.py`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .tables import read_table

Kind: TypeAlias = Literal["protein", "nucleic", "water", "ion", "ligand"]


@dataclass(frozen=True)
class AtomType:
    """One atom of a residue type; `ideal` is its place, in Å, in the dictionary's ideal conformer."""

    name: str
    element: str
    charge: int
    ideal: tuple[float, float, float]


@dataclass(frozen=True)
class ResidueType:
    """A residue as free amino acid: all atoms (OXT, H2 and HXT among them), and their bonds by name."""

    name: str
    letter: str
    parent: str
    title: str
    atoms: tuple[AtomType, ...] = ()
    bonds: tuple[tuple[str, str, str], ...] = ()

    @cached_property
    def heavy_names(self) -> tuple[str, ...]:
        """Heavy atoms within a chain: everything but hydrogens and OXT."""
        return tuple(atom.name for atom in self.atoms if atom.element != "H" and atom.name != "OXT")

    @cached_property
    def by_name(self) -> Mapping[str, AtomType]:
        """Atoms by name."""
        return MappingProxyType({atom.name: atom for atom in self.atoms})

    @cached_property
    def neighbours(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the atoms bonded to each atom."""
        found: dict[str, list[str]] = defaultdict(list)
        for a, b, _ in self.bonds:
            found[a].append(b)
            found[b].append(a)
        return MappingProxyType({name: tuple(names) for name, names in found.items()})

    def ideal(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Ideal coordinates of the named atoms, `len(names) 3`, in Å."""
        return np.array([self.by_name[name].ideal for name in names], dtype=np.float64).reshape(-1, 3)


def _read() -> dict[str, ResidueType]:
    atoms, bonds = defaultdict(list), defaultdict(list)
    for row in read_table("atoms.csv"):
        ideal = (float(row["x"]), float(row["y"]), float(row["z"]))
        atoms[row["residue"]].append(AtomType(row["atom"], row["element"], int(row["charge"]), ideal))
    for row in read_table("bonds.csv"):
        bonds[row["residue"]].append((row["a"], row["b"], row["order"]))
    return {
        row["residue"]: ResidueType(
            row["residue"],
            row["letter"],
            row["parent"],
            row["title"],
            tuple(atoms[row["residue"]]),
            tuple(bonds[row["residue"]]),
        )
        for row in read_table("residues.csv")
    }


RESIDUES: Mapping[str, ResidueType] = MappingProxyType(_read())
BY_LETTER: Mapping[str, str] = MappingProxyType({one.letter: name for name, one in RESIDUES.items() if one.letter})
STANDARD: tuple[str, ...] = tuple(sorted(name for name, residue in RESIDUES.items() if residue.letter))
_ALIASES = {row["alias"]: row["residue"] for row in read_table("aliases.csv")}
WATERS = frozenset("HOH DOD WAT H2O TIP TIP3 TIP4 TP3 TIP3P SOL SPC".split())
IONS = frozenset(
    "LI NA K RB CS MG CA SR BA MN MN3 FE FE2 CO 3CO NI CU CU1 ZN CD HG AL AG AU PT PB F CL BR IOD "
    "NA+ CL- SOD CLA POT CAL ZN2".split()
)
NUCLEOTIDES = frozenset("A C G U I N DA DC DG DT DU DI DN ADE CYT GUA URA THY T RA RC RG RU".split())


def canonical_name(name: str) -> str:
    """The dictionary's name for a residue that another program names differently: HSD is HIS."""
    return _ALIASES.get(name, name)


def template_of(name: str) -> ResidueType | None:
    """The residue type whose atoms and bonds hold for `name`, other programs' names too; None without a table."""
    residue = RESIDUES.get(canonical_name(name))
    return residue if residue and residue.atoms else None


def parent_of(name: str) -> str | None:
    """The standard residue that `name` is or modifies; None where there is none (ligands, D-residues)."""
    residue = RESIDUES.get(canonical_name(name))
    return (residue.parent or None) if residue else None


def kind_of(name: str) -> Kind:
    """What a residue is, by name alone; io knows more: a peptide backbone makes any name a protein residue."""
    if name in _ALIASES or name in RESIDUES:
        return "protein"
    if name in WATERS:
        return "water"
    if name in IONS:
        return "ion"
    return "nucleic" if name in NUCLEOTIDES else "ligand"
