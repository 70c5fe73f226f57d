"""Concerted twists: drawn along the soft modes, carried on by the forces, accepted as a whole."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..dice import Dice
from ..landscape import Landscape
from .move import Walkers, accepted

LEAST_STEP, MOST_STEP = 0.8, 1.2  # of the size: a step of one length resonates with some mode


@dataclass(frozen=True, eq=False)
class Twist:
    """Hamiltonian Monte Carlo in the free coordinates, with a fixed covariance.

    A first velocity is drawn with the covariance of the soft modes, and leapfrog steps follow the forces: soft
    directions go far, stiff ones hardly move. Leapfrog keeps volumes and can be run backwards, so the change of
    the whole energy alone decides, whatever the covariance, as long as that stays fixed.

    Source: Duane, Kennedy, Pendleton, Roweth, Phys. Lett. B 195 (1987) 216; Neal (2011), in the Handbook of Markov
    Chain Monte Carlo, 5.4.1 for the covariance.

    Args:
        factor: L with L Lᵀ the covariance.
        steps: Leapfrog steps of a move.
    """

    factor: Float[Tensor, "free free"]
    steps: int = 8
    name: str = "twist"
    first_size: float = 0.15
    wanted: float | None = 0.5
    largest_size: float = 1.0

    def step(
        self, landscape: Landscape, walkers: Walkers, size: Float[Tensor, "walkers"], dice: Dice
    ) -> tuple[Walkers, Float[Tensor, "walkers"]]:
        """One trajectory a walker."""
        step = (LEAST_STEP + (MOST_STEP - LEAST_STEP) * dice.uniform(1)) * size[:, None]
        velocity = dice.normal(walkers.q.shape[-1])
        q, thermal = walkers.q, walkers.thermal
        _, before, force = self._slope(landscape, q, thermal)
        before = before - 0.5 * velocity.square().sum(-1)
        energy, log_density = walkers.energy, before
        for _ in range(self.steps):
            velocity = velocity + 0.5 * step * force
            q = q + step * velocity @ self.factor.mT
            energy, log_density, force = self._slope(landscape, q, thermal)
            velocity = velocity + 0.5 * step * force
        after = log_density - 0.5 * velocity.square().sum(-1)
        return accepted(walkers, q, energy, after - before, dice)

    def _slope(self, landscape: Landscape, q: Tensor, thermal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        energy, log_density, gradient = landscape.slope(q, thermal)
        return energy, log_density, torch.nan_to_num(gradient @ self.factor)
