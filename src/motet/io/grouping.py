"""Rows into residues and chains: atoms of a residue together, residues of a chain together, nothing twice."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from ..chem import kind_of
from ..structure.structure import NoteKind
from ..structure.topology import Integers, Mask
from .altlocs import chosen, sites_of
from .atom_table import AtomTable
from .notebook import Notebook, counted, listed

RECENT = 4  # pieces of a repeated residue that an apart atom may still belong to
LINK = 2.0  # Å; a C-N distance above this is a chain break (a peptide bond is 1.33 Å)


@dataclass(frozen=True)
class Grouped:
    """Rows of one model in their final order.

    Args:
        table: The rows that stay.
        residue: Residue index of each row, ascending.
        rows: Where each row stood in the table that came in.
    """

    table: AtomTable
    residue: Integers
    rows: Integers


def grouped(table: AtomTable, notes: Notebook) -> Grouped:
    """One conformation, without repeats, in residues and chains."""
    rows = np.flatnonzero(chosen(table, notes))
    rows = rows[_first_of_each(table.take(rows), notes)]
    table = table.take(rows)
    run = _split_repeats(table, _runs(table))
    run = _merge_pieces(table, run, notes)
    run, keep = _without_second_names(table, run, notes)
    table, rows, run = table.take(keep), rows[keep], run[keep]
    order = _chain_order(table, run, notes)
    table, rows, run = table.take(order), rows[order], run[order]
    change = np.concatenate([[False], np.diff(run) != 0])
    return Grouped(table, np.cumsum(change), rows)


def _runs(table: AtomTable) -> Integers:
    """Number of the stretch of rows that share chain, number, code and residue name."""
    change = np.zeros(len(table), dtype=bool)
    for column in (table.chains.ids, table.numbers, table.codes.ids, table.residues.ids):
        change[1:] |= column[1:] != column[:-1]
    return np.cumsum(change)


def _first_of_each(table: AtomTable, notes: Notebook) -> Mask:
    """Drops an atom that an earlier one repeats: same place in the chain, same name, same coordinates."""
    keep = np.ones(len(table), dtype=bool)
    sites = sites_of(table)
    rows = _repeated(sites, table.names.ids)
    if len(rows):
        places = np.round(table.coords[rows] * 1000).astype(np.int64)
        content = np.column_stack([sites[rows], table.names.ids[rows], places])
        _, first = np.unique(content, axis=0, return_index=True)
        keep[np.delete(rows, first)] = False
    if not keep.all():
        labels = [table.label(row) for row in np.flatnonzero(~keep).tolist()]
        notes.add("repaired", f"{counted(len(labels), 'atom')} listed twice ({listed(labels)}): kept once.")
    return keep


def _repeated(group: Integers, name: Integers) -> Integers:
    """Rows whose (group, name) appears more than once."""
    key = group * (name.max(initial=0) + 1) + name
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.flatnonzero(count[inverse] > 1)


def _split_repeats(table: AtomTable, run: Integers) -> Integers:
    """Starts a new residue where a stretch begins again with its first atom: neighbours with one number."""
    doubled = np.unique(run[_repeated(run, table.names.ids)])
    if not len(doubled):
        return run
    begins = np.concatenate([[True], np.diff(run) != 0])
    first = np.flatnonzero(begins)[run]
    again = np.isin(run, doubled) & (table.names.ids == table.names.ids[first])
    return np.cumsum(begins | again) - 1


def _merge_pieces(table: AtomTable, run: Integers, notes: Notebook) -> Integers:
    """Joins stretches of one residue that stand apart, where no atom name appears in both."""
    begins = np.flatnonzero(np.concatenate([[True], np.diff(run) != 0]))
    keys = [column[begins] for column in (table.chains.ids, table.numbers, table.codes.ids, table.residues.ids)]
    _, inverse, count = np.unique(np.stack(keys), axis=1, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(count[inverse.ravel()] > 1)
    if not len(shared):
        return run
    names = np.split(table.names.ids, begins[1:])
    target = np.arange(len(begins))
    pieces: dict[int, list[tuple[int, set[int]]]] = defaultdict(list)
    merged, doubled = [], []
    for k in shared.tolist():
        mine = set(names[k].tolist())
        known = pieces[int(inverse.ravel()[k])]
        home = next((entry for entry in known[-RECENT:] if not entry[1] & mine), None)
        if home is None:
            doubled += [k] if known else []
            known.append((k, mine))
        else:
            target[k] = home[0]
            home[1].update(mine)
            merged.append(k)
    _note_pieces(table, begins, merged, doubled, notes)
    return target[run]


def _note_pieces(
    table: AtomTable, begins: Integers, merged: list[int], doubled: list[int], notes: Notebook
) -> None:
    choices: tuple[tuple[list[int], NoteKind, str], ...] = (
        (merged, "repaired", "atoms of one residue stand apart: put together"),
        (
            doubled,
            "warning",
            "the same chain, name and number for more than one residue: kept as separate residues",
        ),
    )
    for which, kind, text in choices:
        if which:
            labels = list(dict.fromkeys(table.residue_label(int(begins[k])) for k in which))
            notes.add(kind, f"{text} ({listed(labels)}).")


def _without_second_names(table: AtomTable, run: Integers, notes: Notebook) -> tuple[Integers, Mask]:
    """In a residue of a polymer an atom name is there once: the first stays. Ligands keep theirs."""
    keep = np.ones(len(table), dtype=bool)
    seen: set[tuple[int, int]] = set()
    dropped, doubled = [], []
    for row in _repeated(run, table.names.ids).tolist():
        key = (int(run[row]), int(table.names.ids[row]))
        if key in seen:
            polymer = kind_of(table.residues[row].upper()) in ("protein", "nucleic")
            (dropped if polymer else doubled).append(row)
        seen.add(key)
    keep[dropped] = False
    if dropped:
        labels = [table.label(row) for row in dropped]
        notes.add(
            "repaired",
            f"{counted(len(labels), 'atom name')} twice in a residue ({listed(labels)}): the first kept.",
        )
    if doubled:
        labels = list(dict.fromkeys(table.residue_label(row) for row in doubled))
        notes.add("warning", f"atom names are not unique in {listed(labels)}: kept as they are.")
    return run, keep


def _chain_order(table: AtomTable, run: Integers, notes: Notebook) -> Integers:
    """Rows sorted by chain, then by residue, both as they first appear unless the numbers know better."""
    _, first, inverse = np.unique(table.chains.ids, return_index=True, return_inverse=True)
    chain = np.argsort(np.argsort(first))[inverse]
    rank = _residue_rank(table, run, chain, notes)
    return np.lexsort((np.arange(len(run)), rank, chain))


def _residue_rank(table: AtomTable, run: Integers, chain: Integers, notes: Notebook) -> Integers:
    """Rank of each row's residue; a chain whose numbers link more residues than its order is sorted by them."""
    residues, first, inverse = np.unique(run, return_index=True, return_inverse=True)
    rank = np.arange(len(residues))
    carbon, nitrogen = _backbone(table, inverse, "C", len(residues)), _backbone(table, inverse, "N", len(residues))
    numbers, home = table.numbers[first], chain[first]
    protein = np.isfinite(_backbone(table, inverse, "CA", len(residues))[:, 0])
    falls = (np.diff(numbers) < 0) & (np.diff(home) == 0) & protein[1:] & protein[:-1]
    apart = np.flatnonzero(falls)
    for which in np.unique(home[apart]).tolist():
        members = np.flatnonzero((home == which) & protein)
        by_number = members[np.lexsort((members, table.codes.array()[first[members]], numbers[members]))]
        if _links(carbon, nitrogen, by_number) > _links(carbon, nitrogen, members):
            rank[by_number] = np.sort(rank[members])
            name = table.chains[int(first[members[0]])]
            notes.add("repaired", f"residues of chain {name} are not in the order of the chain: sorted by number.")
    return rank[inverse]


def _backbone(table: AtomTable, residue: Integers, name: str, count: int) -> np.ndarray:
    """Place of one named atom in each residue, NaN where it has none."""
    places = np.full((count, 3), np.nan)
    hits = np.flatnonzero(table.names.flags(lambda word: word.upper() == name))
    places[residue[hits]] = table.coords[hits]
    return places


def _links(carbon: np.ndarray, nitrogen: np.ndarray, order: Integers) -> int:
    """Peptide bonds between neighbours in this order."""
    return int((np.linalg.norm(carbon[order[:-1]] - nitrogen[order[1:]], axis=-1) < LINK).sum())
