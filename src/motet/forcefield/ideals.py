"""Ideal bonds, angles, chirality and planarity of residues, looked up by name or measured on ideal conformers."""

import itertools
import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from ..chem import (
    ELEMENTS,
    RESIDUES,
    ResidueType,
    measured_angle,
    read_table,
    seen_from_outside,
    tabled_angle,
    tabled_length,
)
from ..units import BOLTZMANN, ROOM_TEMPERATURE
from .layout import Layout

_DEGREE = np.pi / 180
THERMAL = BOLTZMANN * ROOM_TEMPERATURE  # kcal/mol; deviations were observed at about this temperature


@cache
def constants() -> dict[str, float]:
    """Numbers of `tables/covalent.csv`, angles in radians."""
    rows = read_table("covalent.csv", f"{__package__}.tables")
    return {row["name"]: float(row["value"]) * (_DEGREE if row["unit"] == "degree" else 1.0) for row in rows}


def described(layout: Layout, residue: int) -> ResidueType | None:
    """The residue type whose atoms the tables hold for a residue: its own, or else its parent's."""
    for name in (str(layout.residue_names[residue]), str(layout.parents[residue])):
        if name in RESIDUES and RESIDUES[name].atoms:
            return RESIDUES[name]
    return None


@dataclass(frozen=True)
class Ideals:
    """Ideal geometry of the protein part of a layout."""

    layout: Layout

    def length(self, i: int, j: int) -> tuple[float, float]:
        """Ideal length and deviation of a bond, in Å."""
        default = constants()["bond_deviation_default"]
        found = tabled_length(self._residue(i), str(self.layout.names[i]), self._name(j, i), self._residue(j))
        if found:
            least, most = constants()["bond_deviation_least"], constants()["bond_deviation_most"]
            return found.value, min(max(found.deviation, least), most)
        points = self._ideal_points((i, j))
        if points is not None:
            return float(np.linalg.norm(points[0] - points[1])), default
        radii = [_radius(str(self.layout.elements[k])) for k in (i, j)]
        return sum(radii), default

    def angle(self, a: int, b: int, c: int) -> tuple[float, float] | None:
        """Ideal angle at b and deviation, in rad; None where nothing is known."""
        names = self._name(a, b), str(self.layout.names[b]), self._name(c, b)
        after = next((self._residue(k) for k, name in ((a, names[0]), (c, names[2])) if name == "+N"), "")
        found = tabled_angle(self._residue(b), *names, after)
        if found:
            least, most = constants()["angle_deviation_least"], constants()["angle_deviation_most"]
            return found.value, min(max(found.deviation, least), most)
        points = self._ideal_points((a, b, c))
        return None if points is None else (measured_angle(points), constants()["angle_deviation_default"])

    def handedness(self, centre: int, around: tuple[int, int, int]) -> tuple[float, bool] | None:
        """Triple product of the unit vectors to three neighbours, and whether names alone decide its sign no more.

        0 where planar, None where unknown. Of two groups that differ by name only the start says which is which.
        """
        points = self._ideal_points((centre, *around))
        if points is None:
            joined = "N" if str(self.layout.names[centre]) == "N" else "C"
            names = {self._name(k, centre) for k in around}
            planar = {"N": {"-C", "CA", "CD"}, "C": {"CA", "O", "+N"}}[joined]
            return (0.0, False) if names == planar and str(self.layout.names[centre]) == joined else None
        triple = _triple(points[1:] - points[0])
        return (0.0, False) if abs(triple) <= 0.4 else (triple, self._interchangeable(centre, around))

    def _interchangeable(self, centre: int, around: tuple[int, int, int]) -> bool:
        """Whether two of the neighbours differ by name only, such as the methyls of valine and leucine."""
        ends = [k for k in around if self.layout.neighbours[k] == (centre,)]
        elements = [str(self.layout.elements[k]) for k in ends]
        return len(set(elements)) < len(elements)

    def flat(self, i: int, j: int) -> bool:
        """Whether nothing turns freely about this bond: double, aromatic, amide, in a flat ring."""
        return self._both_in(i, j, "flat_bonds")

    def single(self, i: int, j: int) -> bool:
        """Whether this is a bond of two tetrahedral atoms outside rings, about which groups stagger."""
        return self._both_in(i, j, "single_bonds")

    def _both_in(self, i: int, j: int, which: str) -> bool:
        residue = int(self.layout.residue_of_atom[i])
        described_as = described(self.layout, residue)
        chemistry = _chemistry(described_as.name) if described_as else None
        same = residue == int(self.layout.residue_of_atom[j])
        pair = frozenset((str(self.layout.names[i]), str(self.layout.names[j])))
        return same and chemistry is not None and pair in getattr(chemistry, which)

    def _residue(self, atom: int) -> str:
        return str(self.layout.residue_names[self.layout.residue_of_atom[atom]])

    def _name(self, atom: int, seen_from: int) -> str:
        """The atom's name in the tables of ideal values, relative to the residue of another atom."""
        name = str(self.layout.names[atom])
        same = self.layout.residue_of_atom[atom] == self.layout.residue_of_atom[seen_from]
        return name if same else seen_from_outside(name)

    def _ideal_points(self, atoms: tuple[int, ...]) -> NDArray[np.float64] | None:
        """Ideal positions of atoms of one residue; None where they are not all known."""
        residues = {int(self.layout.residue_of_atom[atom]) for atom in atoms}
        known = described(self.layout, residues.pop())
        names = tuple(str(self.layout.names[atom]) for atom in atoms)
        if residues or known is None or not all(name in known.by_name for name in names):
            return None
        points = known.ideal(names)
        apart = all(np.linalg.norm(p - q) > 0.5 for p, q in itertools.combinations(points, 2))
        return points if apart and np.isfinite(points).all() else None


@dataclass(frozen=True)
class _Chemistry:
    """Which bonds of a residue type are stiff and which turn."""

    residue: ResidueType

    @cached_property
    def _orders(self) -> dict[frozenset[str], str]:
        return {frozenset((a, b)): order for a, b, order in self.residue.bonds}

    @cached_property
    def _unsaturated(self) -> frozenset[str]:
        """Atoms with a double or aromatic bond."""
        return frozenset(name for pair, order in self._orders.items() if order != "1" for name in pair)

    @cached_property
    def _resonant(self) -> frozenset[str]:
        """Nitrogens whose lone pair joins a neighbour's double bond."""
        return frozenset(
            atom.name
            for atom in self.residue.atoms
            if atom.element == "N"
            and atom.name != "N"
            and set(self.residue.neighbours.get(atom.name, ())) & self._unsaturated
        )

    @cached_property
    def flat_bonds(self) -> frozenset[frozenset[str]]:
        flat = self._unsaturated | self._resonant
        backbone = {frozenset(("C", "O")), frozenset(("C", "OXT"))}
        return frozenset(
            pair
            for pair, order in self._orders.items()
            if pair <= flat
            and pair not in backbone
            and (order != "1" or pair & self._resonant or self._ring(pair))
        )

    @cached_property
    def single_bonds(self) -> frozenset[frozenset[str]]:
        bent = self._unsaturated | self._resonant | {"C", "N"}
        return frozenset(pair for pair in self._orders if not pair & bent and not self._ring(pair))

    def _ring(self, pair: frozenset[str]) -> bool:
        """Whether the bond's ends stay joined without it."""
        start, goal = pair
        reached, shell = {start}, {start}
        while shell:
            shell = {
                b for a in shell for b in self.residue.neighbours.get(a, ()) if b not in reached and {a, b} != pair
            }
            reached |= shell
        return goal in reached


@cache
def _chemistry(name: str) -> _Chemistry:
    return _Chemistry(RESIDUES[name])


def _triple(bonds: NDArray[np.float64]) -> float:
    """Triple product of the directions of three bonds; 0 where one of them has no length."""
    lengths = np.linalg.norm(bonds, axis=1, keepdims=True)
    triple = float(np.linalg.det(bonds / lengths)) if (lengths > 0).all() else 0.0
    return triple if math.isfinite(triple) else 0.0


def _radius(element: str) -> float:
    return (ELEMENTS[element] if element in ELEMENTS else ELEMENTS["C"]).covalent_radius
