"""Restraints: energies that hold atoms near where they were."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from ..shapes import Coords, Energies
from .energies import Summable


@dataclass(frozen=True, eq=False)
class PositionRestraint(Summable):
    """½ k |x - x₀|² of some atoms: zero at the reference, harmonic around it.

    Args:
        reference: Where the atoms belong, in Å.
        stiffness: k in kcal/mol/Å², one for all or one for each atom.
        atoms: Which atoms are held; all of them when none are named.
    """

    reference: Float[Tensor, "atoms 3"]
    stiffness: float | Float[Tensor, "atoms"] = 1.0
    atoms: Bool[Tensor, "atoms"] | None = None

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        squared = (coords - self.reference.to(coords)).square().sum(-1)
        stiffness = self.stiffness.to(coords) if isinstance(self.stiffness, Tensor) else self.stiffness
        energies = 0.5 * stiffness * squared
        return (energies if self.atoms is None else energies * self.atoms.to(coords)).sum(-1)
