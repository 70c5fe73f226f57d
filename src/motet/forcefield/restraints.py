"""Restraints and biases: energies that hold atoms, distances, torsions or a whole fold where they should be."""

from dataclasses import dataclass
from typing import TypeAlias

from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..geometry import dihedral, distance, rmsd
from ..shapes import Coords, Energies
from .energies import Summable

PerRow: TypeAlias = float | Float[Tensor, "rows"]


@dataclass(frozen=True, eq=False)
class PositionRestraint(Summable):
    """½ k |x - x₀|² of some atoms: zero at the reference, harmonic around it.

    Args:
        reference: Where the atoms belong, in Å; one place for all conformations, or one for each.
        stiffness: k in kcal/mol/Å², one for all or one for each atom.
        atoms: Which atoms are held; all of them when none are named.
    """

    reference: Float[Tensor, "*batch atoms 3"]
    stiffness: float | Float[Tensor, "atoms"] = 1.0
    atoms: Bool[Tensor, "atoms"] | None = None

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        squared = (coords - self.reference.to(coords)).square().sum(-1)
        energies = 0.5 * _like(self.stiffness, coords) * squared
        return (energies if self.atoms is None else energies * self.atoms.to(coords)).sum(-1)


@dataclass(frozen=True, eq=False)
class DistanceRestraint(Summable):
    """½ k max(0, |d - d₀| - slack)² of pairs of atoms: free within the slack, harmonic beyond it.

    Atoms in one place have a distance without a direction: they feel no force.

    Args:
        pairs: The two atoms of each distance.
        target: d₀ in Å, one for all or one for each pair.
        stiffness: k in kcal/mol/Å², one for all or one for each pair.
        slack: How far from d₀ a distance costs nothing, in Å.
    """

    pairs: Int[Tensor, "rows 2"]
    target: PerRow
    stiffness: PerRow = 1.0
    slack: PerRow = 0.0

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        i, j = self.pairs.to(coords.device).unbind(-1)
        apart = distance(coords.index_select(-2, i), coords.index_select(-2, j))
        beyond = ((apart - _like(self.target, coords)).abs() - _like(self.slack, coords)).clamp_min(0.0)
        return (0.5 * _like(self.stiffness, coords) * beyond.square()).sum(-1)


@dataclass(frozen=True, eq=False)
class TorsionRestraint(Summable):
    """k (1 - cos(φ - φ₀)) of four atoms in a row: ½ k (φ - φ₀)² near the target, the same after a whole turn.

    Args:
        corners: The four atoms of each torsion.
        target: φ₀ in rad, one for all or one for each torsion.
        stiffness: k in kcal/mol, one for all or one for each torsion.
    """

    corners: Int[Tensor, "rows 4"]
    target: PerRow
    stiffness: PerRow = 1.0

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        corners = self.corners.to(coords.device)
        a, b, c, d = coords.index_select(-2, corners.flatten()).unflatten(-2, corners.shape).unbind(-2)
        away = dihedral(a, b, c, d) - _like(self.target, coords)
        return (_like(self.stiffness, coords) * (1.0 - away.cos())).sum(-1)


@dataclass(frozen=True, eq=False)
class RmsdRestraint(Summable):
    """½ k (RMSD - target)² to a reference, after superposition: wherever the molecule is and however it is turned.

    With a target of zero it draws a conformation to the reference; with a target away from zero it keeps it at
    that distance, and a target that shrinks from run to run leads it there.

    Args:
        reference: The conformation to compare with, in Å.
        target: RMSD of lowest energy, in Å.
        stiffness: k in kcal/mol/Å².
        atoms: Which atoms are compared; all of them when none are named.
    """

    reference: Float[Tensor, "atoms 3"]
    target: float = 0.0
    stiffness: float = 1.0
    atoms: Bool[Tensor, "atoms"] | None = None

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        weights = None if self.atoms is None else self.atoms.to(coords)
        away = rmsd(coords, self.reference.to(coords), weights) - self.target
        return 0.5 * self.stiffness * away.square()


def _like(value: PerRow, coords: Coords) -> PerRow:
    """The value, where and as precise as the coordinates are."""
    return value.to(coords) if isinstance(value, Tensor) else value
