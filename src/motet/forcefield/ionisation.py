"""Charges of side chains and chain ends at a pH, by Henderson and Hasselbalch."""

from dataclasses import dataclass

import numpy as np

from ..chem import read_table
from .conditions import Conditions
from .layout import Layout


@dataclass(frozen=True)
class Ionisable:
    """One group that may carry a charge.

    Args:
        residue: Its residue.
        atoms: Seen atoms that share the charge.
        charge: Mean charge in e.
        fraction: Share of molecules in which it is charged.
    """

    residue: int
    atoms: tuple[int, ...]
    charge: float
    fraction: float


def ionisable_groups(layout: Layout, conditions: Conditions) -> tuple[Ionisable, ...]:
    """All ionisable groups whose atoms are there; a residue counts as the one that it modifies.

    A modified side chain, a cysteine in a disulfide and an end that a gap in the chain leaves carry no charge.
    """
    rows = {row["residue"]: row for row in read_table("ionisation.csv", f"{__package__}.tables")}
    groups = []
    for residue in layout.protein_residues.tolist():
        sites = []
        if layout.residue_names[residue] == layout.parents[residue]:
            sites.append(str(layout.parents[residue]))
        if layout.first_of_chain[residue]:
            sites.append("N")
        if layout.last_of_chain[residue]:
            sites.append("C")
        found = [_group(layout, conditions, residue, rows[site]) for site in sites if site in rows]
        groups += [group for group in found if group is not None]
    return tuple(groups)


def charged_fraction(charge: float, pka: float, ph: float) -> float:
    """Share of molecules in which a group is charged: acids above their pKa, bases below."""
    return float(1.0 / (1.0 + 10.0 ** np.clip(charge * (ph - pka), -30, 30)))


def _group(layout: Layout, conditions: Conditions, residue: int, row: dict[str, str]) -> Ionisable | None:
    own = layout.atoms_of_residue[residue]
    atoms = tuple(own[name] for name in row["atoms"].split() if name in own)
    foreign = any(layout.residue_of_atom[k] != residue for atom in atoms for k in layout.neighbours[atom])
    if not atoms or foreign:
        return None
    charge = float(row["charge"])
    fraction = charged_fraction(charge, float(row["pka"]), conditions.ph)
    return Ionisable(residue, atoms, charge * fraction, fraction)
