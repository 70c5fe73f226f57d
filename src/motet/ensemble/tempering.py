"""Parallel tempering: neighbours on a ladder of temperatures exchange their conformations."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from .dice import Dice
from .moves import Walkers


def ladder(coldest: float, hottest: float, rungs: int) -> tuple[float, ...]:
    """Temperatures in equal ratios, in K: about equal exchange where the heat capacity is constant."""
    if rungs == 1:
        return (coldest,)
    return tuple(coldest * (hottest / coldest) ** (rung / (rungs - 1)) for rung in range(rungs))


def exchange(
    walkers: Walkers, rungs: int, odd: bool, dice: Dice
) -> tuple[Walkers, Float[Tensor, "replicas pairs"]]:
    """Each replica's pairs of neighbouring rungs swap conformations with the chance that keeps both densities.

    The chance is min(1, exp((1/kT - 1/kT') (E - E'))). Walkers lie replica by replica, coldest rung first.

    Source: Swendsen and Wang, Phys. Rev. Lett. 57 (1986) 2607; Geyer (1991).

    Args:
        walkers: All of them.
        rungs: Walkers of a replica.
        odd: Whether rungs 1-2, 3-4, … exchange rather than 0-1, 2-3, ….
        dice: A source for each walker.
    """
    toss = dice.uniform(1).reshape(-1, rungs)
    energy, inverse = walkers.energy.reshape(-1, rungs), 1 / walkers.thermal.reshape(-1, rungs)
    low = torch.arange(int(odd), rungs - 1, 2, device=energy.device)
    log_chance = (inverse[:, low] - inverse[:, low + 1]) * (energy[:, low] - energy[:, low + 1])
    chance = log_chance.clamp_max(0.0).exp()
    swapped = toss[:, low] < chance
    source = torch.arange(rungs, device=energy.device).expand(len(energy), -1).clone()
    source[:, low] += swapped.long()
    source[:, low + 1] -= swapped.long()
    source = (source + rungs * torch.arange(len(energy), device=energy.device)[:, None]).flatten()
    return replace(walkers, q=walkers.q[source], energy=walkers.energy[source]), chance
