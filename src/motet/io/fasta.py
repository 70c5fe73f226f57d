"""FASTA: protein sequences."""

from collections import Counter
from dataclasses import dataclass

from ..errors import FormatError
from ..structure import Note
from .notebook import Notebook, counted, listed
from .opening import PathLike, load
from .sequence import check_letters, records_of, without_digits

LONG = 10_000  # residues; the longest human protein, titin, has 35,000
SHORT = 3


@dataclass(frozen=True)
class Sequence:
    """One protein sequence.

    Args:
        id: First word of the header; unique in its file.
        description: The rest of the header.
        residues: One-letter codes, upper case, without gaps.
        notes: What was repaired, or looks odd, in this sequence's file.
    """

    id: str
    description: str
    residues: str
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.residues)


def read_fasta(path: PathLike) -> tuple[Sequence, ...]:
    """The sequences of a FASTA file, packed or not; gaps and a final stop (`*`) are taken out, with a note.

    Raises:
        FormatError: There is no sequence, or a letter that stands for no amino acid.
    """
    source = load(path)
    notes = Notebook(source.notes)
    found: list[tuple[str, str, str]] = []
    for number, record in enumerate(records_of(source, notes), start=1):
        body = without_digits(record.body, number, notes).upper()
        letters = body.rstrip("*").replace("-", "").replace(".", "")
        gaps = len(body.rstrip("*")) - len(letters)
        if gaps:
            notes.add("repaired", f"sequence {number} has {counted(gaps, 'gap')}, as in an alignment: taken out.")
        if not letters:
            notes.add("ignored", f"sequence {number} is empty.")
            continue
        check_letters(letters, number, source, notes)
        if not SHORT <= len(letters) <= LONG:
            notes.add("warning", f"sequence {number} has {counted(len(letters), 'residue')}: is that meant?")
        found.append((record.id, record.description, letters))
    if not found:
        raise FormatError(source.label, "holds no sequence", "give a file with sequences")
    names = _unique_names([name for name, _, _ in found], notes)
    return tuple(
        Sequence(name, text, body, notes.notes) for name, (_, text, body) in zip(names, found, strict=True)
    )


def _unique_names(names: list[str], notes: Notebook) -> list[str]:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if not doubled:
        return names
    notes.add("repaired", f"the same id for more than one sequence ({listed(doubled)}): numbered.")
    taken, result = set(names), []
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        fresh = name
        while seen[name] > 1 and fresh in taken:
            fresh = f"{name}_{seen[name]}"
            seen[name] += fresh in taken
        taken.add(fresh)
        result.append(fresh)
    return result
