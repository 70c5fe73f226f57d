"""What moves between two states, as the cells of a table."""

from dataclasses import dataclass

from ..ensemble import Analysis, Transition
from ..ensemble.exports import residues_of
from .numbers import count, significant

MOST_SHOWN = 10  # transitions on the page; transitions.csv has them all


@dataclass(frozen=True)
class Move:
    """One transition in words.

    Args:
        start: Label of the one state.
        end: Label of the other.
        distance: Cα RMSD of the representatives, with its unit.
        groups: A line for each rigid group: residues, and how far they turn.
        hinges: Where the chain passes from group to group.
        switches: Residues whose secondary structure changes, and to what.
        contacts: Contacts lost and made.
    """

    start: int
    end: int
    distance: str
    groups: tuple[str, ...]
    hinges: str
    switches: tuple[str, ...]
    contacts: str


def moves(analysis: Analysis) -> list[Move]:
    """The transitions that the page shows."""
    return [_move(analysis, one) for one in analysis.transitions[:MOST_SHOWN]]


def _move(analysis: Analysis, one: Transition) -> Move:
    hinges = [residues_of(analysis, range(h.first, h.last + 1)) for h in one.groups.hinges]
    return Move(
        start=one.start,
        end=one.end,
        distance=f"{significant(one.rmsd, 2)}\u00a0Å",
        groups=tuple(_group(analysis, one, group) for group in range(len(one.groups))),
        hinges=", ".join(hinges) or "none",
        switches=_switches(analysis, one),
        contacts=f"{count(len(one.lost), 'contact')} lost, {len(one.gained)} made",
    )


def _group(analysis: Analysis, one: Transition, group: int) -> str:
    residues = residues_of(analysis, one.groups.members(group).tolist())
    if group == 0:
        return f"{residues} keep their shape"
    screw = one.groups.screw(group)
    turn, slide = float(screw.angle.rad2deg()), abs(float(screw.slide))
    return f"{residues} turn by {turn:.0f}° and slide by {significant(slide, 2)}\u00a0Å"


_NAMES = {"H": "helix", "E": "strand", "C": "coil"}


def _switches(analysis: Analysis, one: Transition) -> tuple[str, ...]:
    changes = sorted({(switch.before, switch.after) for switch in one.switches}, reverse=True)
    lines = []
    for before, after in changes:
        residues = [s.residue for s in one.switches if (s.before, s.after) == (before, after)]
        lines.append(f"{residues_of(analysis, residues)}: {_NAMES[before]} to {_NAMES[after]}")
    return tuple(lines) or ("none",)
