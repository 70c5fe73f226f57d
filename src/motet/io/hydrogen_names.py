"""Hydrogens under any program's names become PDB version 3's, by the heavy atom that they stand on.

Old files say 1HB and 2HB, or HB1 and HB2, where version 3 says HB2 and HB3; CHARMM says HN, HT1, HG1. A name alone
does not tell which of two is which: the handedness about their carbon does, held against the ideal conformer.
Source: Markley et al., Pure Appl. Chem. 70 (1998) 117; wwPDB remediation, version 3.
"""

from collections import defaultdict

import numpy as np

from ..chem import ResidueType, template_of
from ..structure.nearest import near_pairs
from ..structure.topology import Integers, Strings
from .atom_table import Floats
from .notebook import Notebook, counted, listed

HYDROGEN = 1.3  # Å from a hydrogen to the heavy atom that it belongs to
_TERMINAL = ("H1", "H2", "H3")  # of a protonated N terminus; the tables have H and H2 there


def renamed(
    names: Strings,
    elements: Strings,
    residue: Integers,
    residue_names: Strings,
    coords: Floats,
    notes: Notebook,
) -> Strings:
    """Atom names with the hydrogens of known residues under their version 3 names, with a note."""
    hydrogens = np.flatnonzero(elements == "H")
    strange = _strangers(names, residue, residue_names, hydrogens)
    if not len(strange):
        return names
    parent = _parents(residue, elements, coords, hydrogens[np.isin(residue[hydrogens], strange)])
    fresh = names.astype("U5")
    changed: dict[str, str] = {}
    touched = set()
    members: dict[int, list[int]] = defaultdict(list)
    for hydrogen, heavy in parent.items():
        members[heavy].append(hydrogen)
    place = {
        (int(residue[row]), str(names[row])): row for row in np.flatnonzero(np.isin(residue, strange)).tolist()
    }
    for heavy, rows in members.items():
        kind = template_of(str(residue_names[residue[heavy]]))
        assert kind is not None
        for row, name in _assigned(kind, heavy, sorted(rows), names, place, residue, coords).items():
            if name != names[row]:
                fresh[row] = name
                changed[str(names[row])] = name
                touched.add(int(residue[row]))
    if touched:
        pairs = [f"{old} to {new}" for old, new in changed.items()]
        which = counted(len(touched), "residue")
        notes.add("repaired", f"hydrogens of {which} have other programs' names ({listed(pairs)}): renamed.")
    return fresh


def _strangers(names: Strings, residue: Integers, residue_names: Strings, hydrogens: Integers) -> Integers:
    """Residues with a table in which some hydrogen has a name that the table does not know."""
    words, of_word = np.unique(names[hydrogens], return_inverse=True)
    kinds, of_kind = np.unique(residue_names, return_inverse=True)
    bad = np.zeros((len(kinds), len(words)), dtype=bool)
    for k, name in enumerate(kinds.tolist()):
        kind = template_of(name)
        if kind is not None:
            bad[k] = [word not in kind.by_name and word not in _TERMINAL for word in words.tolist()]
    return np.unique(residue[hydrogens][bad[of_kind[residue[hydrogens]], of_word]])


def _parents(residue: Integers, elements: Strings, coords: Floats, hydrogens: Integers) -> dict[int, int]:
    """Heavy atom nearest to each hydrogen, within its residue and a bond's length."""
    heavy = np.flatnonzero(elements != "H")
    one, other, _ = near_pairs(coords[hydrogens], coords[heavy], 4, HYDROGEN)
    found: dict[int, int] = {}
    for hydrogen, atom in zip(hydrogens[one].tolist(), heavy[other].tolist(), strict=True):
        if residue[hydrogen] == residue[atom]:
            found.setdefault(hydrogen, atom)
    return found


def _assigned(
    kind: ResidueType,
    heavy: int,
    rows: list[int],
    names: Strings,
    place: dict[tuple[int, str], int],
    residue: Integers,
    coords: Floats,
) -> dict[int, str]:
    """New names of the hydrogens on one heavy atom; those that are right, or cannot be told, keep theirs."""
    atom = str(names[heavy])
    slots = [name for name in kind.neighbours.get(atom, ()) if kind.by_name[name].element == "H"]
    known = [str(names[row]) for row in rows]
    if atom == "N":
        return _amide(rows, known)
    if not slots or len(rows) > len(slots):
        return {}
    turned = [_turned(name) for name in known]
    if all(name in slots for name in turned) and len(set(turned)) == len(turned):
        return dict(zip(rows, turned, strict=True))
    if len(slots) != 2:
        kept = {row: name for row, name in zip(rows, known, strict=True) if name in slots}
        free = iter([slot for slot in slots if slot not in kept.values()])
        return kept | {row: next(free) for row in rows if row not in kept}
    return _by_hand(kind, atom, heavy, rows, slots, place, residue, coords)


def _turned(name: str) -> str:
    """A leading digit at the end, as in version 3: 2HB is HB2, 1HD1 is HD11; deuterium as hydrogen."""
    turned = name[1:] + name[0] if name[0].isdigit() else name
    return "H" + turned[1:] if turned.startswith("D") else turned


def _amide(rows: list[int], known: list[str]) -> dict[int, str]:
    """Backbone N: one hydrogen is H; two or three are H1, H2, H3 unless one is H already."""
    if len(rows) == 1:
        return {rows[0]: "H"} if known[0] not in ("H", *_TERMINAL) else {}
    if all(name in ("H", *_TERMINAL) for name in known) or len(rows) > 3:
        return {}
    return dict(zip(rows, _TERMINAL, strict=False))


def _by_hand(
    kind: ResidueType,
    atom: str,
    heavy: int,
    rows: list[int],
    slots: list[str],
    place: dict[tuple[int, str], int],
    residue: Integers,
    coords: Floats,
) -> dict[int, str]:
    """Two hydrogens on one atom, told apart by the side of their heavy neighbours on which they stand."""
    around = [n for n in kind.neighbours[atom] if kind.by_name[n].element != "H"]
    around = [n for n in around if (int(residue[heavy]), n) in place]
    further = [n for near in around for n in kind.neighbours[near] if n != atom and kind.by_name[n].element != "H"]
    further = [n for n in further if n not in around and (int(residue[heavy]), n) in place]
    anchors = (around + further)[:2]
    if len(anchors) < 2:
        return dict(zip(rows, slots, strict=False))
    a, b = (coords[place[int(residue[heavy]), name]] for name in anchors)
    centre, first, second, *ends = kind.ideal((atom, *anchors, *slots))
    planar = len(around) == 1
    side = {row: _side(coords[heavy], a, b, coords[row], planar) for row in rows}
    wanted = {slot: _side(centre, first, second, end, planar) for slot, end in zip(slots, ends, strict=True)}
    ordered_slots = sorted(slots, key=lambda slot: wanted[slot])
    if len(rows) == 2:
        return dict(zip(sorted(rows, key=lambda row: side[row]), ordered_slots, strict=True))
    middle = sum(wanted.values()) / 2
    return {rows[0]: ordered_slots[int(side[rows[0]] > middle)]}


def _side(centre: Floats, a: Floats, b: Floats, hydrogen: Floats, planar: bool) -> float:
    """On an sp3 centre the signed volume; on a planar one (NH2) how far the hydrogen leans towards `b`."""
    if planar:
        return float(np.dot(hydrogen - centre, b - a))
    return float(np.dot(np.cross(a - centre, b - centre), hydrogen - centre))
