"""Ideal bond lengths and angles with their standard deviations (Engh and Huber, Int. Tables F, 2006, 18.3).

Keys name the residue, then its atoms; `-C` is the C of the residue before, `+N` the N of the one after, `*` any
residue without a row of its own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .tables import read_table


@dataclass(frozen=True)
class Ideal:
    """An ideal value and its standard deviation, in Å or rad."""

    value: float
    deviation: float


def _read(file: str, atoms: str, value: str, deviation: str, scale: float) -> dict[tuple[str, ...], Ideal]:
    return {
        (row["residue"], *(row[atom] for atom in atoms)): Ideal(
            float(row[value]) * scale, float(row[deviation]) * scale
        )
        for row in read_table(file)
    }


BOND_LENGTHS: Mapping[tuple[str, ...], Ideal] = MappingProxyType(
    _read("bond_lengths.csv", "ab", "length_angstrom", "deviation_angstrom", 1.0)
)
BOND_ANGLES: Mapping[tuple[str, ...], Ideal] = MappingProxyType(
    _read("bond_angles.csv", "abc", "angle_degrees", "deviation_degrees", math.pi / 180)
)
