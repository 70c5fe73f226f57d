"""Atoms as a file lists them, in columns, before anything is decided about them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..structure import Note
from ..structure.structure import BFactorMeaning
from ..structure.topology import Integers, Mask, Strings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """A column of text as indices into its distinct words: work is done once a word, not once an atom."""

    ids: Integers
    words: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[str]) -> "Words":
        """The column with these values."""
        values = values if isinstance(values, list) else list(values)
        table = {word: k for k, word in enumerate(dict.fromkeys(values))}
        return cls(np.fromiter(map(table.__getitem__, values), np.int64, len(values)), tuple(table))

    def map(self, change: Callable[[str], str]) -> "Words":
        """The column with every word changed."""
        table: dict[str, int] = {}
        new = np.array([table.setdefault(change(word), len(table)) for word in self.words], dtype=np.int64)
        return Words(new[self.ids] if len(new) else self.ids, tuple(table))

    def array(self) -> Strings:
        """The values as text."""
        return np.array(self.words or ("",), dtype=np.str_)[self.ids]

    def flags(self, test: Callable[[str], bool]) -> Mask:
        """Where the word passes a test."""
        return np.array([test(word) for word in self.words] or [False], dtype=bool)[self.ids]

    def where(self, word: str) -> Mask:
        """Where the value is this word."""
        return self.ids == (self.words.index(word) if word in self.words else -1)

    def take(self, index: Integers | Mask) -> "Words":
        """Some of the rows."""
        return Words(self.ids[index], self.words)

    def __getitem__(self, row: int) -> str:
        return self.words[self.ids[row]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class AtomTable:
    """One row an atom of a model; NaN stands for a blank number, "" for blank text.

    Args:
        model: Index of the model, from 0.
        names: Atom names.
        alternates: Alternate-location labels.
        residues: Residue names.
        chains: Chain names.
        numbers: Residue numbers.
        codes: Insertion codes.
        coords: `rows 3`, in Å.
        occupancies: Occupancies.
        b_factors: B factors or pLDDT.
        elements: Element symbols as in the file.
        charges: Formal charges, in e.
    """

    model: Integers
    names: Words
    alternates: Words
    residues: Words
    chains: Words
    numbers: Integers
    codes: Words
    coords: Floats
    occupancies: Floats
    b_factors: Floats
    elements: Words
    charges: Integers

    def __len__(self) -> int:
        return len(self.model)

    def take(self, index: Integers | Mask) -> "AtomTable":
        """Some of the rows, in this order."""
        taken: dict[str, Any] = {}
        for column in fields(self):
            values = getattr(self, column.name)
            taken[column.name] = values.take(index) if isinstance(values, Words) else values[index]
        return AtomTable(**taken)

    def with_(self, **columns: Any) -> "AtomTable":
        """The same rows with columns replaced."""
        return replace(self, **columns)

    def label(self, row: int) -> str:
        """How a person names this row: `A:LEU14/CA`."""
        return f"{self.residue_label(row)}/{self.names[row]}"

    def residue_label(self, row: int) -> str:
        """How a person names the residue of this row: `A:LEU14`."""
        return f"{self.chains[row]}:{self.residues[row]}{self.numbers[row]}{self.codes[row]}"


Site = tuple[str, int, str, str]  # chain, residue number, insertion code, atom name


@dataclass(frozen=True)
class RawFile:
    """Everything a format's reader hands on.

    Args:
        atoms: The atoms of all models.
        name: Short name of the structure.
        source: The file, as it may be printed.
        sequences: Residue names of each polymer chain as the header lists them, seen or not.
        links: Pairs of atoms that the file says are bonded.
        b_factor_meaning: What the file says of its B factors; None where it says nothing.
        experimental: Whether the file speaks of a crystal, a map or a spectrum.
        notes: What was noted so far.
    """

    atoms: AtomTable
    name: str
    source: str
    sequences: dict[str, list[str]] = field(default_factory=dict)
    links: list[tuple[Site, Site]] = field(default_factory=list)
    b_factor_meaning: BFactorMeaning | None = None
    experimental: bool = False
    notes: tuple[Note, ...] = ()
