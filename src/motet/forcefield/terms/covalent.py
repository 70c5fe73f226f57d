"""What holds a chain together: bonds, angles, planes, chirality, peptide torsions, staggered side chains."""

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...units import BOLTZMANN, ROOM_TEMPERATURE
from ..conditions import Conditions
from ..held import held_atoms
from ..ideals import Ideals, constants
from ..layout import Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from ..vectors import TINY, cross, dot
from .term import Term

THERMAL = BOLTZMANN * ROOM_TEMPERATURE  # kcal/mol; deviations were observed at about this temperature


class CovalentBound(NamedTuple):
    """Vectors run along bonds; the rest names bonds, with the product of the signs that point them right."""

    bond_atoms: Int[Tensor, "2 bonds"]
    bond_length: Float[Tensor, "bonds"]
    bond_stiffness: Float[Tensor, "bonds"]
    bond_residue: Int[Tensor, "bonds"]
    angle_bonds: Int[Tensor, "2 angles"]
    angle_sign: Float[Tensor, "angles"]
    angle_cosine: Float[Tensor, "angles"]
    angle_stiffness: Float[Tensor, "angles"]
    angle_residue: Int[Tensor, "angles"]
    triple_bonds: Int[Tensor, "3 triples"]
    triple_sign: Float[Tensor, "triples"]
    triple_ideal: Float[Tensor, "triples"]
    triple_stiffness: Float[Tensor, "triples"]
    triple_residue: Int[Tensor, "triples"]
    torsion_bonds: Int[Tensor, "3 torsions"]
    torsion_sign: Float[Tensor, "torsions"]
    torsion_plane: Float[Tensor, "torsions"]
    torsion_cis: Float[Tensor, "torsions"]
    torsion_stagger: Float[Tensor, "torsions"]
    torsion_residue: Int[Tensor, "torsions"]


class Covalent(Term):
    """Σ ½k(l - l₀)² + ½k((cos θ - cos θ₀)/sin θ₀)² + ½k(triple - triple₀)² + torsions.

    A triple is the triple product of the unit vectors from an atom to three neighbours: 0 in a plane, its sign the
    handedness. Torsions: V sin²ω + cost · (1 + cos ω)/2 of the peptide bond, V sin² of what is flat, and
    V/2 (1 + cos 3χ) about bonds of two tetrahedral atoms. Learnable is one stiffness for each of these five kinds.

    Force constants are RT/σ² at 298.15 K, with the σ of Engh and Huber's observed geometry.
    """

    name: ClassVar[str] = "covalent"

    def __init__(self) -> None:
        super().__init__()
        self.log_stiffness = nn.Parameter(torch.zeros(5))

    def bind(self, layout: Layout, conditions: Conditions) -> CovalentBound:
        """Bonds between held atoms, and whatever bonds them to atoms that are not."""
        return _Builder(layout).bound()

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of bonds, angles, triples and torsions."""
        assert isinstance(bound, CovalentBound)
        if not bound.bond_atoms.shape[1]:
            return ()
        stiffness = self.log_stiffness.to(scene.points.dtype).exp().unbind()
        first, second = scene.at(bound.bond_atoms).unbind(2)
        bond = second - first
        squared = dot(bond, bond) + TINY
        shrink = squared.rsqrt()
        lengths, direction = squared * shrink, bond * shrink
        strain = lengths - bound.bond_length
        return (
            SiteShare(stiffness[0] * bound.bond_stiffness * strain.square(), bound.bond_residue),
            SiteShare(stiffness[1] * _angles(direction, bound), bound.angle_residue),
            SiteShare(stiffness[2] * _triples(direction, bound), bound.triple_residue),
            SiteShare(_torsions(direction, bound, stiffness[3], stiffness[4]), bound.torsion_residue),
        )


def _angles(direction: Float[Tensor, "3 *batch bonds"], bound: CovalentBound) -> Float[Tensor, "*batch angles"]:
    u, v = _pick(direction, bound.angle_bonds)
    return bound.angle_stiffness * (dot(u, v) * bound.angle_sign - bound.angle_cosine).square()


def _triples(direction: Float[Tensor, "3 *batch bonds"], bound: CovalentBound) -> Float[Tensor, "*batch triples"]:
    u, v, w = _pick(direction, bound.triple_bonds)
    return bound.triple_stiffness * (dot(u, cross(v, w)) * bound.triple_sign - bound.triple_ideal).square()


def _torsions(
    direction: Float[Tensor, "3 *batch bonds"], bound: CovalentBound, flat: Tensor, staggered: Tensor
) -> Float[Tensor, "*batch torsions"]:
    u, v, w = _pick(direction, bound.torsion_bonds)
    left, right = cross(u, v), cross(v, w)
    cosine = bound.torsion_sign * dot(left, right) / ((dot(left, left) + TINY) * (dot(right, right) + TINY)).sqrt()
    squared = cosine * cosine
    planar = flat * (bound.torsion_plane * (1.0 - squared) + bound.torsion_cis * 0.5 * (1.0 + cosine))
    return planar + staggered * bound.torsion_stagger * 0.5 * (1.0 + cosine * (4.0 * squared - 3.0))


def _pick(
    direction: Float[Tensor, "3 *batch bonds"], index: Int[Tensor, "several n"]
) -> tuple[Float[Tensor, "3 *batch n"], ...]:
    return direction.index_select(-1, index.flatten()).unflatten(-1, index.shape).unbind(-2)


class _Builder:
    """Collects the rows of `CovalentBound`."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.ideals, self.constants = layout, Ideals(layout), constants()
        held = held_atoms(layout)
        protein = layout.is_protein
        bonds = layout.bonds[protein[layout.bonds].all(-1) & held[layout.bonds].any(-1)]
        self.bonds = [(int(i), int(j)) for i, j in bonds]
        self.number = {pair: index for index, pair in enumerate(self.bonds)}
        self.around: dict[int, list[int]] = {}
        for i, j in self.bonds:
            self.around.setdefault(i, []).append(j)
            self.around.setdefault(j, []).append(i)

    def bound(self) -> CovalentBound:
        return CovalentBound(*self._bonds(), *self._angles(), *self._triples(), *self._torsions())

    def _bond(self, start: int, end: int) -> tuple[int, float]:
        """Number of a bond, and the sign that points it from start to end."""
        if (start, end) in self.number:
            return self.number[start, end], 1.0
        return self.number[end, start], -1.0

    def _residue(self, atom: int) -> int:
        return int(self.layout.residue_of_atom[atom])

    def _bonds(self) -> tuple[Tensor, ...]:
        rows = [self.ideals.length(i, j) for i, j in self.bonds]
        return (
            _integers(self.bonds, 2),
            _reals([value for value, _ in rows]),
            _reals([0.5 * THERMAL / deviation**2 for _, deviation in rows]),
            _integers([self._residue(j) for _, j in self.bonds]),
        )

    def _angles(self) -> tuple[Tensor, ...]:
        bonds, signs, cosines, stiffness, residues = [], [], [], [], []
        for b, around in self.around.items():
            for a, c in itertools.combinations(around, 2):
                ideal = self.ideals.angle(a, b, c)
                if ideal is None:
                    continue
                (u, sign_u), (v, sign_v) = self._bond(b, a), self._bond(b, c)
                bonds.append((u, v))
                signs.append(sign_u * sign_v)
                cosines.append(np.cos(ideal[0]))
                sine = max(float(np.sin(ideal[0])), 0.1)
                stiffness.append(0.5 * THERMAL / (ideal[1] * sine) ** 2)
                residues.append(self._residue(b))
        return _integers(bonds, 2), _reals(signs), _reals(cosines), _reals(stiffness), _integers(residues)

    def _triples(self) -> tuple[Tensor, ...]:
        bonds, signs, ideals, stiffness, residues = [], [], [], [], []
        for centre, around in self.around.items():
            if len(around) < 3:
                continue
            three = around[0], around[1], around[2]
            ideal = self.ideals.handedness(centre, three)
            if ideal is None:
                continue
            ends = [self._bond(centre, atom) for atom in three]
            bonds.append(tuple(number for number, _ in ends))
            signs.append(ends[0][1] * ends[1][1] * ends[2][1])
            ideals.append(ideal)
            deviation = self.constants["chirality_deviation" if ideal else "plane_deviation"]
            stiffness.append(0.5 * THERMAL / deviation**2)
            residues.append(self._residue(centre))
        return _integers(bonds, 3), _reals(signs), _reals(ideals), _reals(stiffness), _integers(residues)

    def _torsions(self) -> tuple[Tensor, ...]:
        bonds, signs, heights, residues = [], [], [], []
        for b, c in self.bonds:
            height = self._heights(b, c)
            ends = self._ends(b, c)
            if height is None or ends is None:
                continue
            (u, sign_u), (v, sign_v), (w, sign_w) = (
                self._bond(ends[0], b),
                self._bond(b, c),
                self._bond(c, ends[1]),
            )
            bonds.append((u, v, w))
            signs.append(sign_u * sign_w)  # the middle bond enters twice
            assert sign_v == 1.0
            heights.append(height)
            residues.append(self._residue(c))
        plane, cis, stagger = (_reals([height[k] for height in heights]) for k in range(3))
        return _integers(bonds, 3), _reals(signs), plane, cis, stagger, _integers(residues)

    def _heights(self, b: int, c: int) -> tuple[float, float, float] | None:
        """Heights of plane, cis and stagger about a bond, in kcal/mol; None where it turns freely."""
        names = {str(self.layout.names[b]), str(self.layout.names[c])}
        if self._residue(b) != self._residue(c):
            if names != {"C", "N"}:
                return None
            nitrogen = b if str(self.layout.names[b]) == "N" else c
            proline = self.layout.parents[self._residue(nitrogen)] == "PRO"
            cost = self.constants["cis_cost_proline" if proline else "cis_cost"]
            return 0.5 * THERMAL / self.constants["omega_deviation"] ** 2, cost, 0.0
        if self.ideals.flat(b, c):
            return 0.5 * THERMAL / self.constants["plane_torsion_deviation"] ** 2, 0.0, 0.0
        if self.ideals.single(b, c):
            sulphur = {"S", "Se"} & {str(self.layout.elements[b]), str(self.layout.elements[c])}
            return 0.0, 0.0, self.constants["stagger_sulphur" if sulphur else "stagger_carbon"]
        return None

    def _ends(self, b: int, c: int) -> tuple[int, int] | None:
        """The two atoms that a torsion about b-c is measured by: CA of a peptide, else the main chain's."""
        ends = []
        for here, there in ((b, c), (c, b)):
            others = [k for k in self.around[here] if k != there]
            if not others:
                return None
            ends.append(min(others, key=lambda k: (_rank(str(self.layout.names[k])), k)))
        peptide = self._residue(b) != self._residue(c)
        if peptide and any(str(self.layout.names[k]) != "CA" for k in ends):
            return None
        return ends[0], ends[1]


def _rank(name: str) -> int:
    """CA defines a peptide's torsion; then comes N, which defines χ₁; then the rest in file order."""
    return {"CA": 0, "N": 1}.get(name, 2)


def _integers(rows: Sequence[int] | Sequence[tuple[int, ...]], width: int | None = None) -> Tensor:
    found = np.array(rows, dtype=np.int64)
    return torch.from_numpy(found if width is None else np.ascontiguousarray(found.reshape(-1, width).T))


def _reals(rows: Sequence[float]) -> Float[Tensor, "rows"]:
    return torch.tensor(rows, dtype=torch.float64)
