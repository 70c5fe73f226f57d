"""Which atoms give and take hydrogen bonds, and which neighbours say where hydrogens and lone pairs point."""

from dataclasses import dataclass
from typing import TypeAlias

from ..chem import read_table
from .conditions import Conditions
from .ionisation import ionisable_groups
from .layout import Layout

Frame: TypeAlias = tuple[int, int, int, int]
EPSILON_TAUTOMER = 0.8  # of neutral histidine: Blomberg, Maurer, Rüterjans, J. Am. Chem. Soc. 99 (1977) 8149


@dataclass(frozen=True)
class Donor:
    """A hydrogen that points along unit(p - q) + weight · unit(r - s) from its atom.

    Args:
        atom: The heavy atom.
        frame: p, q, r, s.
        weight: Of the second direction.
        cone: Whether the hydrogen turns freely about that direction instead.
        strength: Share of molecules in which the hydrogen is there.
    """

    atom: int
    frame: Frame
    weight: float
    cone: bool
    strength: float


@dataclass(frozen=True)
class Acceptor:
    """A lone pair, with the same kind of direction.

    Args:
        atom: The heavy atom.
        frame: p, q, r, s.
        weight: Of the second direction.
        kind: `sp2`, `sp3` or `ring`.
        strength: Share of molecules in which the lone pair is free.
    """

    atom: int
    frame: Frame
    weight: float
    kind: str
    strength: float


def outward_frames(layout: Layout) -> list[tuple[Frame, float]]:
    """Frame and weight of the direction away from what each polar atom of the protein is bonded to.

    The frame's first atom is the polar one.
    """
    table = {(row["residue"], row["atom"]): row["donor"] + row["acceptor"] for row in _rows()}
    roles = layout.keyed(table, "")
    around = layout.neighbours
    return [_outwards(atom, around[atom]) for atom, role in enumerate(roles) if role and 0 < len(around[atom]) < 3]


def polar_atoms(layout: Layout, conditions: Conditions) -> tuple[list[Donor], list[Acceptor]]:
    """Donors and acceptors of the protein; ligands are obstacles only."""
    table = {(row["residue"], row["atom"]): (row["donor"], row["acceptor"]) for row in _rows()}
    roles = layout.keyed({key: "/".join(pair) for key, pair in table.items()}, "/")
    protonated = _protonated(layout, conditions)
    donors: list[Donor] = []
    acceptors: list[Acceptor] = []
    for atom, role in enumerate(roles):
        donor, acceptor = role.split("/")
        if atom in protonated and donor == "plane" and not acceptor:  # the first N of a chain is an ammonium
            donor = "cone"
        gives, takes = _strengths(layout, atom, protonated.get(atom, 0.0)) if acceptor == "ring" else (1.0, 1.0)
        around = layout.neighbours[atom]
        donors += _hydrogens(layout, atom, donor, around, gives)
        if acceptor and around and takes > 0:
            frame, weight = _outwards(atom, around)
            acceptors.append(Acceptor(atom, frame, weight, acceptor, takes))
    return donors, acceptors


def _rows() -> list[dict[str, str]]:
    return read_table("atoms.csv", f"{__package__}.tables")


def _protonated(layout: Layout, conditions: Conditions) -> dict[int, float]:
    """Positively charged share of each basic atom."""
    groups = ionisable_groups(layout, conditions)
    return {atom: group.fraction for group in groups if group.charge > 0 for atom in group.atoms}


def _strengths(layout: Layout, atom: int, charged: float) -> tuple[float, float]:
    """How often a histidine's nitrogen has its proton, and how often its lone pair."""
    neutral = EPSILON_TAUTOMER if str(layout.names[atom]) == "NE2" else 1.0 - EPSILON_TAUTOMER
    gives = charged + (1.0 - charged) * neutral
    return gives, 1.0 - gives


def _hydrogens(layout: Layout, atom: int, kind: str, around: tuple[int, ...], strength: float) -> list[Donor]:
    if kind == "plane" and len(around) == 2:
        frame, weight = _outwards(atom, around)
        return [Donor(atom, frame, weight, False, strength)]
    if kind == "cone" and len(around) == 1:
        frame, weight = _outwards(atom, around)
        return [Donor(atom, frame, weight, True, strength)]
    if kind == "amine" and len(around) == 1:
        centre = around[0]
        others = [k for k in layout.neighbours[centre] if k != atom]
        # In a plane of 120 degrees N-H runs along C←X of either neighbour X of C.
        return [Donor(atom, (centre, k, centre, k), 0.0, False, strength) for k in others[:2]]
    return []


def _outwards(atom: int, around: tuple[int, ...]) -> tuple[Frame, float]:
    """Away from the one or two neighbours."""
    return (atom, around[0], atom, around[-1]), float(len(around) > 1)
