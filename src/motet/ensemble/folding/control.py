"""The control that any clever choice of rows must beat: as many rows, chosen by chance."""

from collections.abc import Iterable
from dataclasses import replace

import torch

from .member import Member

_APART = 1 << 16  # seeds of controls from those of what they control


def matched(members: Iterable[Member]) -> tuple[Member, ...]:
    """For every member that weighs rows, one that reads as many at random, and is equal in all else.

    Most of what choosing rows gains is shallower alignments (Porter et al. 2024): compare with these before
    believing in a cluster.
    """
    return tuple(_matched(member) for member in members if member.weights is not None)


def _matched(member: Member) -> Member:
    assert member.weights is not None  # the caller has looked
    total = len(member.weights)
    wanted = min(total, max(1, round(float(member.weights.sum())))) - 1
    draws = torch.Generator().manual_seed(member.seed + _APART)
    chosen = 1 + torch.randperm(total - 1, generator=draws)[:wanted]
    weights = torch.zeros(total)
    weights[0] = 1
    weights[chosen] = 1
    return replace(
        member,
        note=f"{wanted + 1} rows at random, as a control",
        seed=member.seed + _APART,
        weights=weights,
        state=-1,
        control=True,
    )
