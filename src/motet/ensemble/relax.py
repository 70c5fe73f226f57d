"""Relax conformations: take out the strain of bonds and the last clashes, and stay where they are."""

from jaxtyping import Bool
from torch import Tensor

from ..forcefield import EnergySum, PositionRestraint
from ..shapes import Coords, Energy
from .minimise import minimise
from .movable import Movable


def relax(
    system: Movable, coords: Coords, max_steps: int = 60, tolerance: float = 0.5, stiffness: float = 0.0
) -> Coords:
    """A short minimisation: each conformation sinks towards the floor of the basin it was drawn in.

    The covalent term dominates the strain of a drawn conformation, so bonds and angles settle first while the fold
    moves by a few tenths of an Å. The draws stay equally weighted; what they lose is their vibration.

    Args:
        system: Its energy.
        coords: Where each conformation starts, in Å.
        max_steps: Steps after which to stop.
        tolerance: Root mean square gradient that counts as converged, in kcal/mol/Å.
        stiffness: Of springs that hold each atom to where it starts, in kcal/mol/Å²; none at zero.
    """
    system.forget()
    energy = held_to_start(system, coords, stiffness) if stiffness else system
    return minimise(energy, coords, mobile=system.mobile, max_steps=max_steps, tolerance=tolerance).coords


def held_to_start(
    energy: Energy, coords: Coords, stiffness: float, atoms: Bool[Tensor, "atoms"] | None = None
) -> Energy:
    """The energy, and springs that hold the atoms (all, or some) of each conformation to where they start."""
    return EnergySum(((1.0, energy), (1.0, PositionRestraint(coords.detach(), stiffness, atoms))))
