"""Several models of one file: the largest set that agrees on its atoms becomes the batch; the rest is noted."""

from collections import defaultdict

import numpy as np

from .atom_table import AtomTable, Floats
from .grouping import Grouped, grouped
from .notebook import Notebook, counted, listed


def agreed(table: AtomTable, notes: Notebook) -> tuple[Grouped, Floats]:
    """The atoms of the models that agree, grouped, and their coordinates: `atoms 3`, or `models atoms 3`."""
    count = int(table.model.max(initial=0)) + 1
    if count == 1:
        one = grouped(table, notes)
        return one, one.table.coords
    order = np.argsort(table.model, kind="stable")
    parts = [table.take(rows) for rows in np.split(order, np.searchsorted(table.model[order], range(1, count)))]
    parts = [part for part in parts if len(part)]
    alike = _alike(parts)
    if len(alike) == 1:
        one = grouped(parts[0], notes)
        return one, np.stack([part.coords[one.rows] for part in parts])
    return _matched(parts, alike, notes)


def _alike(parts: list[AtomTable]) -> list[list[int]]:
    """Models that list the same atoms in the same order, by position."""
    sets: dict[bytes, list[int]] = defaultdict(list)
    for k, part in enumerate(parts):
        columns = (
            part.names.ids,
            part.residues.ids,
            part.chains.ids,
            part.numbers,
            part.codes.ids,
            part.alternates.ids,
        )
        sets[b"".join(column.astype(np.int64).tobytes() for column in columns)].append(k)
    return list(sets.values())


def _matched(parts: list[AtomTable], alike: list[list[int]], notes: Notebook) -> tuple[Grouped, Floats]:
    """Models whose atoms differ in order or number, matched by name."""
    groups = [grouped(parts[members[0]], Notebook()) for members in alike]
    keys = [_keys(group) for group in groups]
    by_content: dict[frozenset[tuple[object, ...]], list[int]] = defaultdict(list)
    for k, key in enumerate(keys):
        by_content[frozenset(key)].append(k)
    size = {content: sum(len(alike[k]) for k in members) for content, members in by_content.items()}
    best = max(by_content, key=lambda content: (size[content], len(content), -min(by_content[content])))
    reference = by_content[best][0]
    one = grouped(parts[alike[reference][0]], notes)
    kept: dict[int, Floats] = {}
    for k, members in enumerate(alike):
        where = {key: row for row, key in enumerate(keys[k])}
        if all(key in where for key in keys[reference]):
            rows = groups[k].rows[[where[key] for key in keys[reference]]]
            kept.update({member: parts[member].coords[rows] for member in members})
    _note(parts, alike, best, by_content, kept, notes)
    coords = np.stack([kept[k] for k in sorted(kept)])
    return one, coords if len(kept) > 1 else coords[0]


def _note(parts, alike, best, by_content, kept, notes: Notebook) -> None:
    out = [str(k + 1) for k in range(len(parts)) if k not in kept]
    if out:
        which = f"{counted(len(out), 'model')} of {len(parts)} ({listed(out)})"
        notes.add("warning", f"models differ in their atoms: {which} without the atoms of the others left out.")
    same = {member for k in by_content[best] for member in alike[k]}
    more = [str(k + 1) for k in kept if k not in same]
    if more:
        notes.add(
            "ignored", f"models differ in their atoms: those that only model {listed(more)} has are left out."
        )


def _keys(group: Grouped) -> list[tuple[object, ...]]:
    """What tells each atom from the others in its model, the second of a kind included."""
    table = group.table
    columns = zip(
        table.chains.array().tolist(),
        table.numbers.tolist(),
        table.codes.array().tolist(),
        table.residues.array().tolist(),
        table.names.array().tolist(),
        strict=True,
    )
    seen: dict[tuple[object, ...], int] = defaultdict(int)
    keys = []
    for key in columns:
        seen[key] += 1
        keys.append((*key, seen[key]))
    return keys
