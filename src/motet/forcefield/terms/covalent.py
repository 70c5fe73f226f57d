"""What holds a chain together: bonds, angles, planes, chirality, peptide torsions, staggered side chains."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from ..conditions import Conditions
from ..covalent_rows import CovalentRows
from ..ideals import THERMAL, constants
from ..layout import Integers, Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from ..vectors import TINY, cross, dot
from .term import Term


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
    paired: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.log_stiffness = nn.Parameter(torch.zeros(5))

    def bind(self, layout: Layout, conditions: Conditions) -> CovalentBound:
        """Bonds between held atoms, and whatever bonds them to atoms that are not."""
        rows = CovalentRows(layout)
        return CovalentBound(*_bonds(rows), *_bent(rows), *_handed(rows), *_turned(rows))

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


def _bonds(rows: CovalentRows) -> tuple[Tensor, ...]:
    values, deviations = rows.lengths().T
    owner = rows.layout.residue_of_atom[rows.bonds[:, 1]]
    return _integers(*rows.bonds.T), _reals(values), _reals(0.5 * THERMAL / deviations**2), _integers(owner)[0]


def _bent(rows: CovalentRows) -> tuple[Tensor, ...]:
    left, right, ideal = rows.angles()
    angle, deviation = ideal.T
    return (
        _integers(left.bond, right.bond),
        _reals(left.sign * right.sign),
        _reals(np.cos(angle)),
        _reals(0.5 * THERMAL / (deviation * np.maximum(np.sin(angle), 0.1)) ** 2),
        _integers(rows.layout.residue_of_atom[left.centre])[0],
    )


def _handed(rows: CovalentRows) -> tuple[Tensor, ...]:
    three, ideal = rows.triples()
    deviation = np.where(ideal != 0, constants()["chirality_deviation"], constants()["plane_deviation"])
    return (
        _integers(*(one.bond for one in three)),
        _reals(three[0].sign * three[1].sign * three[2].sign),
        _reals(ideal),
        _reals(0.5 * THERMAL / deviation**2),
        _integers(rows.layout.residue_of_atom[three[0].centre])[0],
    )


def _turned(rows: CovalentRows) -> tuple[Tensor, ...]:
    first, bond, last, heights = rows.torsions()
    return (
        _integers(first.bond, bond, last.bond),
        _reals(-first.sign * last.sign),  # the first runs towards its bond; the middle one enters twice
        *(_reals(column) for column in heights.T),
        _integers(rows.layout.residue_of_atom[rows.bonds[bond, 1]])[0],
    )


def _integers(*rows: Integers) -> Int[Tensor, "several n"]:
    return torch.from_numpy(np.stack(rows))


def _reals(values: NDArray[np.float64]) -> Float[Tensor, "rows"]:
    return torch.from_numpy(np.ascontiguousarray(values))
