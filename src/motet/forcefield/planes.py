"""Flat groups: aromatic rings, amides, carboxylates, guanidinium, peptide bonds; and ammonium."""

from dataclasses import dataclass

from ..chem import read_table
from .layout import Layout

TABLES = f"{__package__}.tables"
KINDS = ("ring", "guanidinium", "flat", "peptide", "cation")


@dataclass(frozen=True)
class Plane:
    """One flat group.

    Args:
        residue: Its residue.
        kind: One of `KINDS`.
        atoms: Seen atoms whose mean is its centre; the first three span the plane, where there are so many.
    """

    residue: int
    kind: str
    atoms: tuple[int, ...]


def flat_groups(layout: Layout) -> tuple[Plane, ...]:
    """All flat groups whose atoms are there; a residue counts as the one that it modifies."""
    rows: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for row in read_table("planes.csv", TABLES):
        rows.setdefault(row["residue"], []).append((row["kind"], tuple(row["atoms"].split())))
    found = []
    for residue in layout.protein_residues.tolist():
        own = layout.atoms_of_residue[residue]
        for kind, names in (*rows.get(str(layout.parents[residue]), ()), *rows["*"]):
            if all(name in own for name in names):
                found.append(Plane(residue, kind, tuple(own[name] for name in names)))
    return tuple(found)
