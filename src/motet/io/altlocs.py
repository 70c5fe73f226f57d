"""Alternate locations: one conformation a residue, the one with the highest occupancy, ties to A."""

from collections import defaultdict

import numpy as np

from ..structure.topology import Integers, Mask
from .atom_table import AtomTable
from .notebook import Notebook, counted, listed


def sites_of(table: AtomTable) -> Integers:
    """Number of the place (chain, residue number, insertion code) of each row, in order of first appearance."""
    shifted = table.numbers - (table.numbers.min() if len(table) else 0)
    key = (table.chains.ids * (shifted.max(initial=0) + 1) + shifted) * len(table.codes.words) + table.codes.ids
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def chosen(table: AtomTable, notes: Notebook) -> Mask:
    """Which rows to keep so that each residue has one conformation.

    A residue keeps one label throughout, so that its atoms belong together; a heavy atom that this label lacks
    comes from the next best one of the same residue name.
    """
    keep = np.ones(len(table), dtype=bool)
    labelled = ~table.alternates.where("")
    if not labelled.any():
        return keep
    by_site: dict[int, list[int]] = defaultdict(list)
    for row, site in zip(np.flatnonzero(labelled).tolist(), sites_of(table)[labelled].tolist(), strict=True):
        by_site[site].append(row)
    disordered, mixed = [], []
    for rows in by_site.values():
        kept, labels, names = _choose(table, rows)
        keep[rows] = False
        keep[kept] = True
        if len(labels) > 1:
            disordered.append(table.residue_label(kept[0]))
        if len(names) > 1:
            mixed.append(f"{table.residue_label(kept[0])} of {'/'.join(sorted(names))}")
    if disordered:
        what = counted(len(disordered), "residue")
        notes.add("ignored", f"alternate locations in {what} ({listed(disordered)}): the most occupied is kept.")
    if mixed:
        notes.add("ignored", f"places shared by several residue names: kept {listed(mixed, 4)}.")
    return keep


def _choose(table: AtomTable, rows: list[int]) -> tuple[list[int], list[str], set[str]]:
    """Rows to keep of one place, its labels best first, and the residue names that share it."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_label[table.alternates[row]].append(row)
    labels = sorted(by_label, key=lambda label: (-_occupancy(table, by_label[label]), _rank(label)))
    kept = list(by_label[labels[0]])
    residue = table.residues[kept[0]]
    seen = {table.names[row] for row in kept}
    for label in labels[1:]:
        for row in by_label[label]:
            wanted = table.residues[row] == residue and table.elements[row] != "H"
            if wanted and table.names[row] not in seen:
                kept.append(row)
                seen.add(table.names[row])
    return sorted(kept), labels, {table.residues[row] for row in rows}


def _occupancy(table: AtomTable, rows: list[int]) -> float:
    """Mean occupancy, rounded so that equal ones tie; blank counts as full."""
    return round(float(np.nan_to_num(table.occupancies[rows], nan=1.0).mean()), 3)


def _rank(label: str) -> tuple[bool, str]:
    return (label.isdigit(), label)
