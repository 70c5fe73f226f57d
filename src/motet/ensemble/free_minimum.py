"""Minimise over free coordinates: what `minimise` does for atoms, for torsions and poses."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from ..shapes import Coords, Energies
from .minimise import minimise

LONGEST_STEP = 0.5  # in standard deviations of the soft modes
_TOLERANCE = 1e-2
_AXES = 3


def free_minimum(
    energy: Callable[[Float[Tensor, "walkers free"]], Energies],
    start: Float[Tensor, "walkers free"],
    max_steps: int,
) -> Float[Tensor, "walkers free"]:
    """Coordinates of a local minimum near each start.

    Args:
        energy: Of coordinates measured in standard deviations of the soft modes, so that a step of one length
            suits them all.
        start: Where to begin.
        max_steps: Steps after which to stop.
    """
    size = start.shape[-1]
    spare = -size % _AXES

    def of_points(coords: Coords) -> Energies:
        return energy(coords.flatten(-2)[..., :size])

    # The minimiser wants points in space: the free coordinates come to it in threes.
    points = pad(start, (0, spare)).unflatten(-1, (-1, _AXES))
    found = minimise(
        of_points, points, max_steps=max_steps, tolerance=_TOLERANCE, longest_step=LONGEST_STEP
    ).coords
    return found.flatten(-2)[..., :size]
