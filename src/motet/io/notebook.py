"""Words for a person: notes gathered while reading, lists cut short, and hostile text made harmless."""

from collections.abc import Iterable, Sequence

from ..structure import Note
from ..structure.structure import NoteKind

LONGEST = 120  # characters of foreign text in one message


class Notebook:
    """Notes in the order in which they were taken, each said once."""

    def __init__(self, notes: Iterable[Note] = ()) -> None:
        self._notes: dict[Note, None] = dict.fromkeys(notes)

    def add(self, kind: NoteKind, text: str) -> None:
        """Take a note."""
        self._notes[Note(kind, shown(text, 600))] = None

    def extend(self, notes: Iterable[Note]) -> None:
        """Take over notes from elsewhere."""
        self._notes.update(dict.fromkeys(notes))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was noted."""
        return tuple(self._notes)


def shown(text: object, longest: int = LONGEST) -> str:
    """Text from outside as one printable line: control characters become `?`, the middle of a long one goes."""
    line = "".join(c if c.isprintable() else "?" for c in str(text).encode("utf-8", "replace").decode("utf-8"))
    if len(line) <= longest:
        return line
    half = (longest - 3) // 2
    return f"{line[:half]}...{line[-half:]}"


def listed(labels: Sequence[str], limit: int = 5) -> str:
    """`A:LEU14, A:VAL15 and 7 more`."""
    head = ", ".join(shown(label, 40) for label in labels[:limit])
    return f"{head} and {len(labels) - limit} more" if len(labels) > limit else head


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 atom`, `3 atoms`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
