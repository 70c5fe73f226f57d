"""Which element an atom is: from its column where that makes sense, else from its name and its residue."""

import numpy as np

from ..chem import ELEMENTS, IONS, RESIDUES, parent_of
from .atom_table import Words
from .notebook import Notebook, counted, listed

_BY_UPPER = {symbol.upper(): symbol for symbol in ELEMENTS} | {"D": "H", "T": "H"}


def elements_of(fields: Words, residues: Words, given: Words, notes: Notebook) -> Words:
    """Element of each atom, deuterium as H.

    Args:
        fields: Atom names; of a PDB file all four columns, since `CA  ` is calcium where ` CA ` is Cα.
        residues: Residue names, upper case.
        given: The element column; "" where blank.
        notes: Where to say what was guessed or mended.
    """
    sizes = (len(fields.words), len(residues.words), len(given.words))
    mixed = np.ravel_multi_index((fields.ids, residues.ids, given.ids), sizes) if len(fields) else fields.ids
    distinct, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    found, guessed, mended = [], [], []
    for row in first.tolist():
        field, residue, symbol = fields[row], residues[row], given[row]
        element = _element(field, residue, symbol)
        found.append(element)
        if not symbol:
            guessed.append(len(found) - 1)
        elif _BY_UPPER.get(symbol.upper()) != element:
            mended.append(len(found) - 1)
    _say(
        notes,
        "repaired",
        guessed,
        inverse,
        first,
        fields,
        residues,
        "no element in its column: taken from the name",
    )
    _say(notes, "repaired", mended, inverse, first, fields, residues, "a wrong element in its column: corrected")
    del distinct
    return Words.of([found[i] for i in inverse.tolist()])


def _say(
    notes: Notebook,
    kind,
    which: list[int],
    inverse,
    first,
    fields: Words,
    residues: Words,
    what: str,
) -> None:
    number = int(np.isin(inverse, which).sum())
    if number:
        labels = [f"{residues[int(first[i])]}/{fields[int(first[i])].strip()}" for i in which]
        verb = "has" if number == 1 else "have"
        notes.add(kind, f"{counted(number, 'atom')} ({listed(labels, 4)}) {verb} {what}.")


def _element(field: str, residue: str, given: str) -> str:
    name = field.strip().upper()
    known = _from_residue(name, residue)
    if known:
        return known
    symbol = _BY_UPPER.get(given.upper())
    return symbol if symbol else _from_name(field, name, residue)


def _from_residue(name: str, residue: str) -> str | None:
    """What the residue table says, where the residue has an atom of that name."""
    kind = RESIDUES.get(residue)
    if kind is None or not kind.atoms:
        parent = parent_of(residue)
        kind = RESIDUES.get(parent) if parent else None
    atom = kind.by_name.get(name) if kind else None
    return atom.element if atom else None


def _from_name(field: str, name: str, residue: str) -> str:
    letters = name.lstrip("0123456789'\"*")
    if residue == letters and residue in _BY_UPPER:
        return _BY_UPPER[residue]
    if parent_of(residue) or residue in RESIDUES:
        return "Se" if letters.startswith("SE") else _BY_UPPER.get(letters[:1], "C")
    aligned = len(field) == 4 and field[0] != " " and not field[0].isdigit() and field[2:].strip(" ") != field[2:]
    two = letters[:2]
    if two in _BY_UPPER and len(two) == 2 and (residue in IONS or aligned or two in ("CL", "BR")):
        return _BY_UPPER[two]
    return _BY_UPPER.get(letters[:1], "C")
