"""Closed backbones that settle: small moves, taken where they look more like a native loop, ever more strictly."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import ConfigError
from ...geometry.loops import JOINT, Gap, Room, nudge
from .preference import Loops, Preference

_ROOM = -0.2  # Å, least room that a move must leave, as where loops are built


@dataclass(frozen=True, kw_only=True)
class Settling:
    """How loops settle.

    Args:
        steps: Moves of each.
        least: Smallest move of the torsions, standard deviation in rad; sizes are drawn between the two.
        most: Largest.
        hot: Temperature of the first moves, in units of the preference.
        cold: Of the last.
    """

    steps: int = 100
    least: float = math.radians(0.3)
    most: float = math.radians(5.0)
    hot: float = 0.5
    cold: float = 0.05

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0 < self.least <= self.most or not 0 < self.cold <= self.hot:
            raise ConfigError("settling needs steps >= 0, 0 < least <= most and 0 < cold <= hot.")


def settled(
    gap: Gap, room: Room, prefer: Preference, loops: Loops, random: torch.Generator, how: Settling | None = None
) -> Loops:
    """Each loop as it was preferred most on its way; never preferred less than it was at the start."""
    how = how or Settling()
    if not len(loops):
        return loops
    here, score = loops, prefer(loops)
    best, least = here, score

    def drawn() -> Float[Tensor, "conformations"]:
        return torch.rand(len(loops), generator=random, dtype=loops.dtype, device=loops.device)

    for step in range(how.steps):
        temperature = how.hot * (how.cold / how.hot) ** (step / max(how.steps - 1, 1))
        size = how.least * (how.most / how.least) ** drawn()
        first = 1 + int(torch.randint(gap.length - JOINT + 1, (), generator=random, device=loops.device))
        there, closes = nudge(gap, here, size, first, random)
        free = torch.minimum(room.free(there, 1).amin((-2, -1)), room.within(there, there, 1, 1))
        new = prefer(there)
        taken = closes & (free > _ROOM) & (drawn().log() < (score - new) / temperature)
        here, score = torch.where(taken[:, None, None, None], there, here), torch.where(taken, new, score)
        better = score < least
        best, least = torch.where(better[:, None, None, None], here, best), torch.where(better, score, least)
    return best
