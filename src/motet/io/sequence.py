"""What FASTA and A3M share: letters, and records split at their headers."""

from dataclasses import dataclass

from ..errors import FormatError
from .notebook import Notebook, counted, shown
from .opening import Source

STANDARD_LETTERS = frozenset("ACDEFGHIKLMNPQRSTVWY")
RARE_LETTERS = {
    "B": "Asp or Asn",
    "Z": "Glu or Gln",
    "J": "Leu or Ile",
    "X": "any",
    "U": "selenocysteine",
    "O": "pyrrolysine",
}
LONGEST_HEADER = 10_000


@dataclass(frozen=True)
class Record:
    """One header and the lines under it, joined."""

    id: str
    description: str
    body: str


def records_of(source: Source, notes: Notebook) -> list[Record]:
    """The records of a file; a body before any header is a record of its own.

    Raises:
        FormatError: Nothing in it, or letters that are not ASCII.
    """
    text = _text(source, notes)
    blocks = text.split(">") if text.lstrip().startswith((">", "#", ";")) else ["", *text.split(">")]
    if not text.lstrip().startswith((">", "#", ";")):
        notes.add("repaired", "the first sequence has no header: called sequence_1.")
        blocks[1] = "sequence_1\n" + blocks[1]
    records = [_record(block, number, notes) for number, block in enumerate(blocks[1:], start=1)]
    if not any(record.body for record in records):
        raise FormatError(source.label, "holds headers but no sequence", "give a file with sequences")
    return records


def _text(source: Source, notes: Notebook) -> str:
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise FormatError(source.label, "is empty", "give a file with sequences")
    if b"\0" in data:
        notes.add("repaired", "NUL bytes: left out.")
        data = data.replace(b"\0", b"")
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode("utf-8", "replace")
    for line in text.split("\n"):
        if not line.startswith(">") and not line.isascii():
            odd = next(c for c in line if ord(c) > 127)
            reason = f"has a letter that is not ASCII ({shown(odd)!r}, U+{ord(odd):04X}) in a sequence"
            raise FormatError(source.label, reason, "type the sequence in plain Latin letters")
    return "".join(line + "\n" for line in text.split("\n") if not line.startswith((";", "#")))


def _record(block: str, number: int, notes: Notebook) -> Record:
    header, _, body = block.partition("\n")
    if len(header) > LONGEST_HEADER:
        notes.add(
            "repaired", f"the header of sequence {number} has {len(header)} letters: cut to {LONGEST_HEADER}."
        )
        header = header[:LONGEST_HEADER]
    header = "".join(c if c.isprintable() else " " for c in header)
    name, _, description = header.strip().partition(" ")
    return Record(name or f"sequence_{number}", description.strip(), "".join(body.split()))


def without_digits(body: str, number: int, notes: Notebook) -> str:
    """The body without the numbers of a GenBank listing."""
    plain = "".join(c for c in body if not c.isdigit())
    if plain != body:
        notes.add(
            "repaired", f"sequence {number} has digits between its letters, as GenBank prints them: left out."
        )
    return plain


def check_letters(letters: str, number: int, source: Source, notes: Notebook) -> None:
    """Refuse what is no amino acid; note what is not one of the twenty.

    Raises:
        FormatError: A character that stands for no amino acid.
    """
    found = set(letters)
    strange = sorted(found - STANDARD_LETTERS - RARE_LETTERS.keys())
    if strange:
        reason = f"sequence {number} has {shown(''.join(strange[:5]))!r}, which stands for no amino acid"
        raise FormatError(source.label, reason, "use the one-letter codes")
    for letter in sorted(found & RARE_LETTERS.keys()):
        text = f"{counted(letters.count(letter), 'letter')} {letter} ({RARE_LETTERS[letter]})"
        notes.add("warning", f"sequence {number} has {text}: not one of the twenty amino acids.")
