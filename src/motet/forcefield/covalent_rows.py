"""Bonds, angles, triples and torsions of a layout, as arrays; ideal values are looked up once a kind.

Two atoms are of one kind when name, element and residue name agree (`Layout.kind_of_atom`). What the tables say
depends on kinds alone, so a protein of fifty thousand atoms asks them a thousand questions.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .held import held_atoms
from .ideals import THERMAL, Ideals, constants
from .layout import Integers, Layout, Mask

Values: TypeAlias = NDArray[np.float64]

FIRST_CHOICE = {"CA": 0, "N": 1}  # CA defines a peptide's torsion; N defines χ₁; then comes the file's order


class Spokes(NamedTuple):
    """Bonds seen from each of their ends, sorted by that end.

    Args:
        centre: The end.
        other: The other end.
        bond: Number of the bond.
        sign: 1 where the bond's vector points away from the centre, else -1.
    """

    centre: Integers
    other: Integers
    bond: Integers
    sign: Values

    def at(self, index: Integers | Mask) -> "Spokes":
        """Some of them."""
        return Spokes(self.centre[index], self.other[index], self.bond[index], self.sign[index])


@dataclass(frozen=True, eq=False)
class CovalentRows:
    """What the covalent term sums over."""

    layout: Layout

    @cached_property
    def bonds(self) -> Integers:
        """Bonds of the protein that move: at least one end is held."""
        layout, held = self.layout, held_atoms(self.layout)
        return layout.bonds[layout.is_protein[layout.bonds].all(-1) & held[layout.bonds].any(-1)].reshape(-1, 2)

    @cached_property
    def spokes(self) -> Spokes:
        """Every bond from both ends, in the order of the bonds."""
        return self._sorted(np.zeros(self.layout.n_seen, dtype=np.int64))

    @cached_property
    def degree(self) -> Integers:
        """Number of bonds of each atom."""
        return np.bincount(self.bonds.ravel(), minlength=self.layout.n_seen)

    @cached_property
    def start(self) -> Integers:
        """Where each atom's spokes begin."""
        return np.cumsum(self.degree) - self.degree

    def lengths(self) -> Values:
        """Ideal length and deviation of each bond, in Å."""
        ideals, (i, j) = self._ideals, self.bonds.T
        return self._looked_up(self._key(i, j), lambda k: ideals.length(int(i[k]), int(j[k])), 2)[0]

    def angles(self) -> tuple[Spokes, Spokes, Values]:
        """The two spokes of each angle, and its ideal value and deviation in rad."""
        left, right = (self.spokes.at(np.concatenate(one)) for one in zip(*self._couples(), strict=True))
        ideals, a, b, c = self._ideals, left.other, left.centre, right.other
        key = self._key(b, a, c)
        values, known = self._looked_up(key, lambda k: ideals.angle(int(a[k]), int(b[k]), int(c[k])), 2)
        return left.at(known), right.at(known), values[known]

    def triples(self) -> tuple[list[Spokes], Values]:
        """The first three spokes of each centre of three or more, and their ideal triple product."""
        centres = np.flatnonzero(self.degree >= 3)
        three = [self.spokes.at(self.start[centres] + k) for k in range(3)]
        ends = [one.other for one in three]
        alone = np.array([len(around) == 1 for around in self.layout.neighbours], dtype=np.int64)
        key = self._key(centres, *ends) * 8 + sum(alone[end] << k for k, end in enumerate(ends))

        def ask(k: int) -> tuple[float, float] | None:
            three = int(ends[0][k]), int(ends[1][k]), int(ends[2][k])
            answer = self._ideals.handedness(int(centres[k]), three)
            return None if answer is None else (answer[0], float(answer[1]))

        values, known = self._looked_up(key, ask, 2)
        points = self.layout.start
        found = _triple_products(*(points[end] - points[centres] for end in ends))
        ideal = values[:, 0]
        ideal = np.where((values[:, 1] > 0) & (np.abs(found) > 0.1), np.copysign(ideal, found), ideal)
        return [one.at(known) for one in three], ideal[known]

    def torsions(self) -> tuple[Spokes, Integers, Spokes, Values]:
        """Spoke of each torsion's start, its bond, spoke of its end; plane, cis and stagger in kcal/mol."""
        rank = np.array([FIRST_CHOICE.get(name, 2) for name in self.layout.names.tolist()], dtype=np.int64)
        ranked, (b, c) = self._sorted(rank), self.bonds.T
        heights, wanted = self._looked_up(self._key(b, c), lambda k: self._heights(int(b[k]), int(c[k])), 3)
        wanted &= (self.degree[b] > 1) & (self.degree[c] > 1)
        rows = np.flatnonzero(wanted)
        first, last = (self._best(ranked, here[rows], there[rows]) for here, there in ((b, c), (c, b)))
        names, residue = self.layout.names, self.layout.residue_of_atom
        peptide = residue[b[rows]] != residue[c[rows]]
        keep = ~peptide | ((names[first.other] == "CA") & (names[last.other] == "CA"))
        return first.at(keep), rows[keep], last.at(keep), heights[rows[keep]]

    @cached_property
    def _ideals(self) -> Ideals:
        return Ideals(self.layout)

    def _sorted(self, rank: Integers) -> Spokes:
        """Spokes by centre, then by the rank of their other end; of one rank in the order of atoms or bonds."""
        (i, j), number = self.bonds.T, np.arange(len(self.bonds))
        centre, other, bond = (np.concatenate(pair) for pair in ((i, j), (j, i), (number, number)))
        sign = np.repeat([1.0, -1.0], len(number))
        order = np.lexsort((other if rank.any() else bond, rank[other], centre))
        return Spokes(centre, other, bond, sign).at(order)

    def _couples(self) -> list[tuple[Integers, Integers]]:
        """Numbers of every two spokes of one centre."""
        none = np.zeros(0, dtype=np.int64)
        found = [(none, none)]
        for degree in range(2, int(self.degree.max(initial=0)) + 1):
            first = self.start[self.degree == degree]
            found += [(first + p, first + q) for p, q in itertools.combinations(range(degree), 2)]
        return found

    def _best(self, ranked: Spokes, here: Integers, there: Integers) -> Spokes:
        """The first spoke of an atom that does not lead there."""
        first = self.start[here]
        return ranked.at(np.where(ranked.other[first] == there, first + 1, first))

    def _key(self, centre: Integers, *others: Integers) -> Integers:
        """A number for each combination of kinds, with who shares the residue of the first."""
        kind, residue = self.layout.kind_of_atom, self.layout.residue_of_atom
        key = kind[centre]
        for other in others:
            key = (key * (int(kind.max(initial=0)) + 1) + kind[other]) * 2 + (residue[other] == residue[centre])
        return key

    def _looked_up(
        self, key: Integers, ask: Callable[[int], tuple[float, ...] | None], width: int
    ) -> tuple[Values, Mask]:
        """The answer for one row of each key, given to all rows of the key; and whether there was one."""
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        answers = [ask(k) for k in first.tolist()]
        values = np.array([answer or (0.0,) * width for answer in answers], dtype=np.float64).reshape(-1, width)
        known = np.array([answer is not None for answer in answers], dtype=bool)
        return values[which], known[which]

    def _heights(self, b: int, c: int) -> tuple[float, float, float] | None:
        """Heights of plane, cis and stagger about a bond, in kcal/mol; None where it turns freely."""
        layout, numbers = self.layout, constants()
        residues = [int(layout.residue_of_atom[k]) for k in (b, c)]
        if residues[0] != residues[1]:
            if {str(layout.names[b]), str(layout.names[c])} != {"C", "N"}:
                return None
            proline = layout.parents[residues[0 if str(layout.names[b]) == "N" else 1]] == "PRO"
            cost = numbers["cis_cost_proline" if proline else "cis_cost"]
            return 0.5 * THERMAL / numbers["omega_deviation"] ** 2, cost, 0.0
        if self._ideals.flat(b, c):
            return 0.5 * THERMAL / numbers["plane_torsion_deviation"] ** 2, 0.0, 0.0
        if self._ideals.single(b, c):
            sulphur = {"S", "Se"} & {str(layout.elements[b]), str(layout.elements[c])}
            return 0.0, 0.0, numbers["stagger_sulphur" if sulphur else "stagger_carbon"]
        return None


def _triple_products(u: Values, v: Values, w: Values) -> Values:
    """Triple products of the directions of three vectors; 0 where one of them has no length or no place."""
    lengths = np.prod([np.linalg.norm(one, axis=-1) for one in (u, v, w)], axis=0)
    good = np.isfinite(lengths) & (lengths > 0)
    volumes = (u * np.cross(v, w)).sum(-1)
    return np.divide(volumes, lengths, out=np.zeros(len(lengths)), where=good)
