"""How to build the missing atoms of one residue, step by step, from those that are there.

A recipe depends on names alone, so all residues that lack the same atoms share one and are built together.
`-C`, `-CA`, `-O` are atoms of the residue before, `+N` of the one after.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ..chem import RESIDUES, chis_of
from .ideals import ideal_angle, ideal_length, ideal_torsion, in_one_ring, peptide_angle, turns_freely

BEFORE = ("-C", "-CA", "-O")
AFTER = ("+N",)
_RIGID, _CHI, _FREE = range(3)


@dataclass(frozen=True)
class Turn:
    """A torsion that the present atoms leave open: about b-c; `chi` is its number, or 0 where it is no chi.

    `ideal` is its value in the dictionary's conformer, in rad, from which a step's torsion is counted. A closing
    turn must bring its atom to others that are there already, and is searched finely.
    """

    axis: tuple[str, str]
    chi: int
    ideal: float
    closing: bool = False


@dataclass(frozen=True)
class Step:
    """Place `atom` bonded to c, from a, b and c; `turn` numbers the open torsion that it follows, or is -1.

    `closures` are other atoms that it must bond, with the length in Å.
    """

    atom: str
    a: str
    b: str
    c: str
    length: float
    angle: float
    torsion: float
    turn: int = -1
    closures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Steps in order, the torsions that they leave open, and the atoms that cannot be placed."""

    steps: tuple[Step, ...]
    turns: tuple[Turn, ...]
    unplaced: tuple[str, ...]


@lru_cache(maxsize=8192)
def recipe(residue: str, present: frozenset[str], wanted: tuple[str, ...]) -> Recipe:
    """Steps that place the wanted atoms of a residue from the present ones: the surest step first, always."""
    placed = set(present)
    missing = [name for name in wanted if name not in placed]
    steps: list[Step] = []
    turns: list[Turn] = []
    while missing:
        options = [option for name in missing for option in _options(residue, name, placed)]
        if not options:
            break
        rank, step, turn = min(options, key=lambda option: (option[0], _leaves_ring(residue, option[1])))
        if turn is not None and rank > _RIGID:
            step = replace(step, closures=tuple(_closures(residue, step, placed)))
            if step.closures:
                turn = Turn(turn.axis, 0, 0.0, closing=True)
            if turn not in turns:
                turns.append(turn)
            step = replace(step, turn=turns.index(turn))
        steps.append(step)
        placed.add(step.atom)
        missing.remove(step.atom)
    return Recipe(tuple(steps), tuple(turns), tuple(missing))


def _leaves_ring(residue: str, step: Step) -> bool:
    """Whether a ring's atom is placed by an angle outside the ring, so that the ring may not close."""
    if not {step.b, step.c} <= RESIDUES[residue].by_name.keys():
        return False
    return in_one_ring(residue, step.c, step.atom) and not in_one_ring(residue, step.b, step.c, step.atom)


_Option = tuple[int, Step, Turn | None]


def _options(residue: str, atom: str, placed: set[str]) -> Iterator[_Option]:
    """Every way to place an atom now."""
    yield from _across_the_peptide(residue, atom, placed)
    neighbours = RESIDUES[residue].neighbours
    for c in neighbours.get(atom, ()):
        if c not in placed:
            continue
        beside = [name for name in _in_order(residue, c) if name in placed and name != atom]
        for b in beside:
            length, angle = ideal_length(residue, c, atom), ideal_angle(residue, b, c, atom)
            for a in beside:
                if a != b:
                    yield _RIGID, Step(atom, a, b, c, length, angle, ideal_torsion(residue, a, b, c, atom)), None
            for a in _in_order(residue, b):
                if a in placed and a not in (c, atom):
                    step = Step(atom, a, b, c, length, angle, ideal_torsion(residue, a, b, c, atom))
                    yield _turning(residue, step)


def _turning(residue: str, step: Step) -> _Option:
    """A step about a bond: rigid in rings and planes, else along a chi or any other open torsion."""
    axis = (step.b, step.c)
    for chi in chis_of(residue):
        if {chi.atoms[1], chi.atoms[2]} == set(axis) and not in_one_ring(residue, *axis):
            return _CHI, step, Turn(chi.atoms[1:3], chi.number, ideal_torsion(residue, *chi.atoms))
    if not turns_freely(residue, *axis):
        return _RIGID, step, None
    return _FREE, step, Turn(axis, 0, 0.0)


def _closures(residue: str, step: Step, placed: set[str]) -> Iterator[tuple[str, float]]:
    """Bonds of a placed atom other than the one that it is placed by."""
    for other in RESIDUES[residue].neighbours[step.atom]:
        if other in placed and other != step.c:
            yield other, ideal_length(residue, step.atom, other)
    for atom, other in (("C", "+N"), ("N", "-C")):
        if step.atom == atom and other in placed:
            yield other, ideal_length(residue, atom, other)


def _in_order(residue: str, atom: str) -> list[str]:
    """Heavy neighbours of an atom, backbone first, as in the dictionary."""
    known = RESIDUES[residue]
    found = [name for name in known.neighbours.get(atom, ()) if known.by_name[name].element != "H"]
    ranks = {name: rank for rank, name in enumerate(known.by_name)}
    return sorted(found, key=ranks.__getitem__)


def _across_the_peptide(residue: str, atom: str, placed: set[str]) -> Iterator[_Option]:
    """Steps that a peptide plane fixes: C, O or CA from the next N, N from the C before."""
    if {"+N", "C", "CA"} <= placed and atom == "O":
        step = Step(
            atom, "+N", "CA", "C", ideal_length(residue, "C", "O"), ideal_angle(residue, "CA", "C", "O"), math.pi
        )
        yield _RIGID - 1, step, None
    if {"+N", "C", "O"} <= placed and atom == "CA":
        step = Step(
            atom, "+N", "O", "C", ideal_length(residue, "CA", "C"), ideal_angle(residue, "O", "C", "CA"), math.pi
        )
        yield _RIGID - 1, step, None
    if {"+N", "CA", "O"} <= placed and atom == "C":
        length, double = ideal_length(residue, "CA", "C"), ideal_length(residue, "C", "O")
        corner = ideal_angle(residue, "CA", "C", "O")
        angle = math.atan2(double * math.sin(corner), length - double * math.cos(corner))
        yield _RIGID - 1, Step(atom, "+N", "O", "CA", length, angle, 0.0), None
    if set(BEFORE) <= placed and atom == "N":
        length, angle = ideal_length(residue, "N", "-C"), peptide_angle(residue)
        yield _RIGID - 1, Step(atom, "-O", "-CA", "-C", length, angle, math.pi), None
