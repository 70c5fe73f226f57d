"""Relax conformations: take out the strain of bonds and the last clashes, and stay where they are."""

from ..shapes import Coords
from .minimise import minimise
from .movable import Movable


def relax(system: Movable, coords: Coords, max_steps: int = 60, tolerance: float = 0.5) -> Coords:
    """A short minimisation: each conformation sinks towards the floor of the basin it was drawn in.

    The covalent term dominates the strain of a drawn conformation, so bonds and angles settle first while the fold
    moves by a few tenths of an Å. The draws stay equally weighted; what they lose is their vibration.
    """
    system.forget()
    return minimise(system, coords, mobile=system.mobile, max_steps=max_steps, tolerance=tolerance).coords
