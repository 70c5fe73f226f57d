"""Hit and run among the closed conformations of a loop, thousands of chains in one batch.

After O'Donnell and Cazals (J. Comp. Chem. 44, 2023): the loop as tripeptides between rigid bodies, a necessary
condition that bounds each random direction, closure of every tripeptide. Directions, marching and the acceptance
are our own formulation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...errors import LoopError
from .arcs import Peptides, may_close
from .closure import ClosureList, list_closures, tripeptide_internals
from .motion import JOINT, Curve, Frame

_FLAT = 1e-12  # Å³, least Jacobian that is divided by

Traces: TypeAlias = Float[Tensor, "chains residues 3 3"]


@dataclass(frozen=True, kw_only=True)
class HitAndRun:
    """Settings of a step.

    Args:
        turn: Turn of a body at the ends of the curve in each direction, times the root of the dimensions, in rad.
        shift: The same for its shift, in Å.
        marks: Points on each half of the curve at which the condition is tested.
        halvings: Bisections of the interval in which it fails first.
    """

    turn: float = 0.7
    shift: float = 1.75
    marks: int = 8
    halvings: int = 4


@dataclass(frozen=True, eq=False)
class Walk:
    """Chains of closed loops, and how their steps went.

    Args:
        trace: N, CA and C of each residue, in Å; the first N, CA and the last CA, C never move.
        energy: Of each chain, in units of kT; zero in the geometric mode.
        closed: Steps of each chain at which all tripeptides closed.
        accepted: Steps of each chain that were taken.
        steps: Steps so far.
    """

    trace: Traces
    energy: Float[Tensor, "chains"]
    closed: Float[Tensor, "chains"]
    accepted: Float[Tensor, "chains"]
    steps: int

    @classmethod
    def start(cls, trace: Traces, energy: Callable[[Traces], Tensor] | None = None) -> "Walk":
        """Chains at closed conformations; in double precision.

        Raises:
            LoopError: The loop is shorter than three residues.
        """
        if trace.shape[1] < JOINT:
            raise LoopError(trace.shape[1], "three residues are the least that can close")
        trace = trace.double()
        none = trace.new_zeros(len(trace))
        return cls(trace, energy(trace) if energy else none, none, none, 0)


def geometric_step(walk: Walk, random: torch.Generator, how: HitAndRun | None = None) -> Walk:
    """One step of every chain towards diverse conformations: taken wherever every tripeptide closes."""
    move = _proposed(walk.trace, random, how or HitAndRun())
    return _walked(walk, move, move.closes, walk.energy)


def metropolis_step(
    walk: Walk,
    random: torch.Generator,
    energy: Callable[[Traces], Float[Tensor, "chains"]] | None = None,
    how: HitAndRun | None = None,
) -> Walk:
    """One step of every chain, in detailed balance with exp(-energy) on the flat measure of the torsions.

    Args:
        walk: The chains.
        random: Of direction, place, solution and acceptance.
        energy: In units of kT; none for the flat measure itself.
        how: Settings; they must not change with the state of the chains.
    """
    how = how or HitAndRun()
    move = _proposed(walk.trace, random, how)
    there = energy(move.trace) if energy else torch.zeros_like(walk.energy)
    forth = move.curve
    back = Curve.through(forth.frame, move.trace, forth.twist, forth.drift, forth.turns)
    low, high = _chord(back, move.trace, how)
    returns = (low <= -move.t) & (-move.t <= high)
    here = _weight(forth.frame, walk.trace)
    gain = walk.energy - there + move.weight - here + move.chord.log() - (high - low).log()
    luck = torch.rand(len(gain), generator=random, dtype=gain.dtype, device=gain.device).log()
    return _walked(walk, move, move.closes & returns & (luck < gain), there)


@dataclass(frozen=True, eq=False)
class _Move:
    """A proposal: the curve, the place on it, the conformation, whether there is one, and its weight.

    The weight is the logarithm of the product, over the tripeptides, of solutions over Jacobian.
    """

    curve: Curve
    t: Float[Tensor, "chains"]
    chord: Float[Tensor, "chains"]
    trace: Traces
    closes: Bool[Tensor, "chains"]
    weight: Float[Tensor, "chains"]


def _walked(walk: Walk, move: _Move, taken: Bool[Tensor, "chains"], energy: Float[Tensor, "chains"]) -> Walk:
    return replace(
        walk,
        trace=torch.where(taken[:, None, None, None], move.trace, walk.trace),
        energy=torch.where(taken, energy, walk.energy),
        closed=walk.closed + move.closes,
        accepted=walk.accepted + taken,
        steps=walk.steps + 1,
    )


def _proposed(trace: Traces, random: torch.Generator, how: HitAndRun) -> _Move:
    """A frame for all chains; in it a direction, a place and a solution for each."""
    length = trace.shape[1]
    first = int(torch.randint(min(2, length - JOINT) + 1, (), generator=random, device=trace.device))
    frame = Frame(length, first)
    curve = Curve.drawn(frame, trace, how.turn, how.shift, random)
    low, high = _chord(curve, trace, how)
    t = low + (high - low) * torch.rand(len(low), generator=random, dtype=low.dtype, device=low.device)
    anchors, head, tail = curve.at(t)
    windows = frame.windows(trace)
    found, count = _closures(windows, anchors)
    closes = (count > 0).all(-1)
    if not closes.any():
        return _Move(curve, t, high - low, trace, closes, torch.zeros_like(t))
    luck = torch.rand(count.shape, generator=random, dtype=t.dtype, device=t.device)
    before = (count.flatten().cumsum(0) - count.flatten()).reshape(count.shape)
    pick = (before + (luck * count).long()).clamp_max(len(found.problem) - 1)
    weight = (count.clamp_min(1).log() - found.torsion_jacobian[pick].clamp_min(_FLAT).log()).sum(-1)
    there = curve.put_together(found.coords[pick], head, tail)
    there = torch.where(closes[:, None, None, None], there, trace)
    return _Move(curve, t, high - low, there, closes, weight)


def _closures(
    windows: Float[Tensor, "chains tripeptides 9 3"], anchors: Float[Tensor, "chains tripeptides 4 3"]
) -> tuple[ClosureList, Int[Tensor, "chains tripeptides"]]:
    """Closures of the tripeptides between other ends, and how many each has."""
    lengths, angles, omegas, _ = tripeptide_internals(windows.flatten(0, 1))
    found = list_closures(lengths, angles, omegas, anchors.flatten(0, 1))
    count = found.problem.bincount(minlength=len(lengths))
    return found, count.reshape(windows.shape[:2])


def _weight(frame: Frame, trace: Traces) -> Float[Tensor, "chains"]:
    """Logarithm of the product, over the tripeptides, of solutions over Jacobian, for loops as they stand."""
    windows = frame.windows(trace)
    found, count = _closures(windows, windows[:, :, (0, 1, 7, 8)])
    flat = windows.flatten(0, 1)
    off = (found.coords - flat[found.problem]).abs().amax((-2, -1))
    nearest = off.new_full((len(flat),), torch.inf).scatter_reduce(0, found.problem, off, "amin")
    own = off == nearest[found.problem]
    jacobian = off.new_full((len(flat),), torch.inf)
    jacobian = jacobian.scatter_reduce(0, found.problem[own], found.torsion_jacobian[own], "amin")
    return (count.clamp_min(1).log() - jacobian.clamp_min(_FLAT).log().reshape(count.shape)).sum(-1)


def _chord(curve: Curve, trace: Traces, how: HitAndRun) -> tuple[Tensor, Tensor]:
    """The part of the curve around t = 0, within -1 and 1, on which every tripeptide may close."""
    peptides = Peptides.of(curve.frame.windows(trace))
    signs = trace.new_tensor([-1.0, 1.0])[:, None]

    def may(t: Float[Tensor, "*times chains"]) -> Bool[Tensor, "*times chains"]:
        return may_close(peptides, curve.at(t)[0]).all(-1)

    marks = torch.arange(1, how.marks + 1, dtype=trace.dtype, device=trace.device) / how.marks
    times = (marks[:, None, None] * signs).expand(-1, 2, len(trace))
    good = may(times).long().cumprod(0).sum(0)  # marks passed on each side
    inner = good.to(trace) / how.marks
    outer = (inner + 1 / how.marks).clamp_max(1.0)
    for _ in range(how.halvings):
        middle = (inner + outer) / 2
        holds = may(middle * signs)
        inner, outer = torch.where(holds, middle, inner), torch.where(holds, outer, middle)
    return -inner[0], inner[1]
