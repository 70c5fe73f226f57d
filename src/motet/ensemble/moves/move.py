"""What a Monte Carlo move is: it changes walkers and keeps their density."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..dice import Dice
from ..landscape import Landscape


@dataclass(frozen=True, eq=False)
class Walkers:
    """Where the walkers are.

    Args:
        q: Free coordinates.
        energy: Energy of each, in kcal/mol.
        thermal: kT of each, in kcal/mol.
    """

    q: Float[Tensor, "walkers free"]
    energy: Float[Tensor, "walkers"]
    thermal: Float[Tensor, "walkers"]


@dataclass(frozen=True, eq=False)
class Proposal:
    """Where walkers might go.

    Args:
        q: Free coordinates there.
        log_ratio: Logarithm of the density of the way back over that of the way there.
        possible: Walkers that have somewhere to go; the others stay.
    """

    q: Float[Tensor, "walkers free"]
    log_ratio: Float[Tensor, "walkers"]
    possible: Bool[Tensor, "walkers"]


@runtime_checkable
class Move(Protocol):
    """One kind of move, whose density of proposals depends on where a walker is and on nothing else."""

    @property
    def name(self) -> str:
        """Name, for the record."""
        ...

    @property
    def first_size(self) -> float:
        """Size to begin with."""
        ...

    @property
    def wanted(self) -> float | None:
        """Acceptance that burn-in tunes the size to; None for a move without a size."""
        ...

    @property
    def largest_size(self) -> float:
        """Size beyond which the move gains nothing."""
        ...

    def step(
        self, landscape: Landscape, walkers: Walkers, size: Float[Tensor, "walkers"], dice: Dice
    ) -> tuple[Walkers, Float[Tensor, "walkers"]]:
        """Walkers after one try each, and the chance that each had of being accepted."""
        ...


def metropolis(
    landscape: Landscape, walkers: Walkers, proposal: Proposal, dice: Dice
) -> tuple[Walkers, Float[Tensor, "walkers"]]:
    """Accept each proposal with the chance of Metropolis and Hastings.

    Source: Hastings, Biometrika 57 (1970) 97.
    """
    there = torch.where(proposal.possible[:, None], proposal.q, walkers.q)
    with torch.no_grad():
        energy = landscape.energy(there)
        after = landscape.log_density(there, energy, walkers.thermal)
        before = landscape.log_density(walkers.q, walkers.energy, walkers.thermal)
    log_chance = torch.where(proposal.possible, after - before + proposal.log_ratio, -torch.inf)
    return accepted(walkers, there, energy, log_chance, dice)


def accepted(
    walkers: Walkers,
    there: Float[Tensor, "walkers free"],
    energy: Float[Tensor, "walkers"],
    log_chance: Float[Tensor, "walkers"],
    dice: Dice,
) -> tuple[Walkers, Float[Tensor, "walkers"]]:
    """Walkers after the toss, and the chance of each; what is not a number is not accepted."""
    chance = torch.nan_to_num(log_chance, nan=-torch.inf, posinf=0.0).clamp_max(0.0).exp()
    took = dice.uniform(1).squeeze(-1) < chance
    return (
        Walkers(
            torch.where(took[:, None], there, walkers.q),
            torch.where(took, energy, walkers.energy),
            walkers.thermal,
        ),
        chance,
    )
