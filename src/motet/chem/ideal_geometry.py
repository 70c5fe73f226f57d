"""Ideal lengths and angles by name: whose row of the tables holds for a bond, within a residue and between two."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .geometry import BOND_ANGLES, BOND_LENGTHS, Ideal
from .residues import parent_of

_FROM_OUTSIDE = {"C": "-C", "N": "+N", "SG": "*SG"}
_FROM_INSIDE = {outside: inside for inside, outside in _FROM_OUTSIDE.items()}


def seen_from_outside(atom: str) -> str:
    """What the tables call an atom in the rows of a residue bonded to its own; `?CG` where they have no name."""
    return _FROM_OUTSIDE.get(atom, f"?{atom}")


@lru_cache(maxsize=4096)
def tabled_length(residue: str, a: str, b: str, beyond: str = "") -> Ideal | None:
    """Length of a bond as tabled, in Å: of the residue, of its parent, of any residue; None without a row.

    Args:
        residue: Residue of `a`.
        a: Name of an atom of the residue.
        b: Name of another, or of an atom of the residue beyond as seen from this one: `-C`, `+N`, `*SG`.
        beyond: Residue of `b`, where it is another one: it may have the row, as proline has of its `-C`.
    """
    keys = [(owner, a, b) for owner in _owners(residue)]
    if b in _FROM_INSIDE:
        from_there = _FROM_INSIDE[b], seen_from_outside(a)
        keys += [(owner, *from_there) for owner in (*_owners(beyond), "*")]
    return _first(BOND_LENGTHS, [*keys, ("*", a, b)])


@lru_cache(maxsize=4096)
def tabled_angle(residue: str, a: str, b: str, c: str, after: str = "") -> Ideal | None:
    """Angle as tabled, in rad; `b` is of the residue, `a` and `c` may be seen from it; None without a row.

    Engh and Huber's rows of proline with `+N` are about the residue before a proline; `after` says what follows.
    """
    owners = [*_owners(residue), "*"]
    if "+N" in (a, c):
        owners = [owner for owner in owners if owner != "PRO"]
        if "PRO" in _owners(after):
            owners.insert(0, "PRO")
    return _first(BOND_ANGLES, [(owner, a, b, c) for owner in owners])


def measured_angle(points: NDArray[np.float64]) -> float:
    """Angle at the middle one of three points, `3 3`, in rad."""
    left, right = points[0] - points[1], points[2] - points[1]
    return float(np.arctan2(np.linalg.norm(np.cross(left, right)), left @ right))


def _owners(residue: str) -> tuple[str, ...]:
    """Whose rows hold for a residue, its own before its parent's."""
    return tuple(dict.fromkeys(name for name in (residue, parent_of(residue)) if name))


def _first(table: Mapping[tuple[str, ...], Ideal], keys: Iterable[tuple[str, ...]]) -> Ideal | None:
    """The first row that there is, its atoms in either order."""
    both = (key for owner, *atoms in keys for key in ((owner, *atoms), (owner, *atoms[::-1])))
    return next((table[key] for key in both if key in table), None)
