"""A3M: alignments in which insertions stand in lower case; ColabFold's header line is understood."""

from dataclasses import dataclass

import numpy as np

from ..errors import FormatError
from ..structure import Note
from ..structure.topology import Integers
from .notebook import Notebook, counted, shown
from .opening import PathLike, Source, load
from .sequence import check_letters, records_of


@dataclass(frozen=True, eq=False)
class Alignment:
    """Sequences aligned to the first one, the query.

    Args:
        ids: First word of each row's header.
        descriptions: The rest of each header.
        rows: Aligned letters and `-`, upper case, all as long as the query.
        deletions: Residues of a row that stand before each column and have no place in the query: `rows columns`.
        notes: What was repaired, or looks odd.
    """

    ids: tuple[str, ...]
    descriptions: tuple[str, ...]
    rows: tuple[str, ...]
    deletions: Integers
    notes: tuple[Note, ...] = ()

    @property
    def query(self) -> str:
        """The first row."""
        return self.rows[0]

    @property
    def depth(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __len__(self) -> int:
        return len(self.rows[0])


def read_a3m(path: PathLike) -> Alignment:
    """An alignment from an A3M file (or aligned FASTA), packed or not.

    Raises:
        FormatError: There is no sequence, rows differ in their number of columns, or a letter stands for nothing.
    """
    return parse_a3m(load(path))


def parse_a3m(source: Source) -> Alignment:
    """The alignment in a file's content; see `read_a3m`."""
    notes = Notebook(source.notes)
    records = records_of(source, notes)
    empty = sum(not record.body for record in records)
    if empty:
        notes.add("ignored", f"{counted(empty, 'header')} without a sequence.")
    records = [record for record in records if record.body]
    rows, deletions = [], []
    for number, record in enumerate(records, start=1):
        row, counts = _aligned(record.body.rstrip("*"))
        if rows and len(row) != len(rows[0]):
            reason = f"row {number} ({shown(record.id, 30)}) has {len(row)} columns, the query {len(rows[0])}"
            raise FormatError(
                source.label, reason, "align the sequences to the first one, insertions in lower case"
            )
        rows.append(row)
        deletions.append(counts)
    if "-" in rows[0]:
        notes.add("warning", f"the query has {counted(rows[0].count('-'), 'gap')}: are these its own columns?")
    seen = "".join(sorted(set("".join(rows)) - {"-"}))
    check_letters(seen, 1, source, Notebook())
    _note_repeats(rows, notes)
    return Alignment(
        tuple(record.id for record in records),
        tuple(record.description for record in records),
        tuple(rows),
        np.stack(deletions),
        notes.notes,
    )


def _aligned(body: str) -> tuple[str, Integers]:
    """The columns of one row, and how many lower-case letters stand before each."""
    letters = np.frombuffer(body.replace(".", "").encode("ascii"), dtype=np.uint8)
    lower = (letters >= 97) & (letters <= 122)
    places = np.cumsum(~lower)[lower]
    columns = letters[~lower]
    counts = np.bincount(places, minlength=len(columns) + 1)[: len(columns)]
    return columns.tobytes().decode("ascii"), counts.astype(np.int64)


def _note_repeats(rows: list[str], notes: Notebook) -> None:
    repeats = len(rows) - len(set(rows))
    if repeats:
        notes.add("kept", f"{counted(repeats, 'row')} aligned exactly as another one.")
