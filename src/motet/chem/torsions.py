"""Rotatable torsions of the side chains."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .residues import RESIDUES, canonical_name, parent_of
from .tables import read_table


@dataclass(frozen=True)
class Chi:
    """One side-chain torsion: its four atoms, and whether a half turn changes nothing."""

    number: int
    atoms: tuple[str, str, str, str]
    symmetric: bool


def _read() -> dict[str, tuple[Chi, ...]]:
    chis = defaultdict(list)
    for row in read_table("chis.csv"):
        atoms = (row["a"], row["b"], row["c"], row["d"])
        chis[row["residue"]].append(Chi(int(row["chi"]), atoms, row["symmetric"] == "yes"))
    return {residue: tuple(sorted(found, key=lambda chi: chi.number)) for residue, found in chis.items()}


CHIS: Mapping[str, tuple[Chi, ...]] = MappingProxyType(_read())


def chis_of(name: str) -> tuple[Chi, ...]:
    """Torsions of any residue: its own, or those of its parent whose atoms it has (SEP's chi1 is SER's)."""
    name = canonical_name(name)
    if name in CHIS:
        return CHIS[name]
    own = RESIDUES[name].by_name if name in RESIDUES else {}
    inherited = CHIS.get(parent_of(name) or "", ())
    return tuple(chi for chi in inherited if not own or all(atom in own for atom in chi.atoms))
