"""Newton's method on the three bilinear equations of a tripeptide, for many starts at once; components first."""

import math
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_LONGEST_STEP = 0.3  # rad
_FIRST_STEPS = 3  # taken by all starts, before those that have settled drop out
_STEPS = 40
_SETTLED = 1e-13  # rad
_EXACT = 5e-16  # residual that rounding leaves
_RESIDUAL = 1e-9
_SAME = 1e-5  # rad
_SINGULAR = 1e-14

Solutions: TypeAlias = tuple[Int[Tensor, "solutions"], Float[Tensor, "3 solutions"]]  # whose, and the turns


def residual(
    equations: Float[Tensor, "3 3 3 *batch"], cosine: Float[Tensor, "3 *batch"], sine: Float[Tensor, "3 *batch"]
) -> tuple[Float[Tensor, "3 *batch"], Float[Tensor, "3 *batch"], Float[Tensor, "3 *batch"]]:
    """The three equations, their slopes by the body after the corner, and by the body before it."""
    c, s = cosine[:, None], sine[:, None]
    onto = torch.addcmul(torch.addcmul(equations[:, :, 0], equations[:, :, 1], c), equations[:, :, 2], s)
    onto_slope = torch.addcmul(equations[:, :, 2] * c, equations[:, :, 1], s, value=-1)
    before_c, before_s = cosine.roll(1, dims=0), sine.roll(1, dims=0)
    value = torch.addcmul(torch.addcmul(onto[:, 0], onto[:, 1], before_c), onto[:, 2], before_s)
    after = torch.addcmul(torch.addcmul(onto_slope[:, 0], onto_slope[:, 1], before_c), onto_slope[:, 2], before_s)
    before = torch.addcmul(onto[:, 2] * before_c, onto[:, 1], before_s, value=-1)
    return value, after, before


def newton_step(
    value: Float[Tensor, "3 *batch"], after: Float[Tensor, "3 *batch"], before: Float[Tensor, "3 *batch"]
) -> tuple[Float[Tensor, "3 *batch"], Float[Tensor, "*batch"]]:
    """J⁻¹ F times det J, and det J, of the cyclic 3x3 system."""
    determinant = after[0] * after[1] * after[2] + before[0] * before[1] * before[2]
    following, previous = after.roll(-1, dims=0), after.roll(1, dims=0)
    step = (
        following * previous * value
        - before * following * value.roll(1, dims=0)
        + before * before.roll(1, dims=0) * value.roll(-1, dims=0)
    )
    return step, determinant


def polished(
    equations: Float[Tensor, "3 3 3 starts"], turns: Float[Tensor, "3 starts"]
) -> tuple[Float[Tensor, "3 starts"], Bool[Tensor, "starts"]]:
    """Starts moved to solutions, in [-π, π), and which of them arrived."""
    going = torch.ones_like(turns[0], dtype=torch.bool)
    for _ in range(_FIRST_STEPS):
        turns, going = _moved(equations, turns)
    active = going.nonzero().squeeze(-1)
    own, moving = equations[..., active], turns[:, active]
    for _ in range(_FIRST_STEPS, _STEPS):
        if not len(active):
            break
        moving, going = _moved(own, moving)
        turns[:, active] = moving
        if not going.all():
            active, own, moving = active[going], own[..., going], moving[:, going]
    value, _, _ = residual(equations, turns.cos(), turns.sin())
    turns = torch.remainder(turns + math.pi, 2 * math.pi) - math.pi
    return turns, value.abs().amax(0) < _RESIDUAL


def _moved(
    equations: Float[Tensor, "3 3 3 starts"], turns: Float[Tensor, "3 starts"]
) -> tuple[Float[Tensor, "3 starts"], Bool[Tensor, "starts"]]:
    """One step, no longer than `_LONGEST_STEP`, and whether another one would help."""
    value, after, before = residual(equations, turns.cos(), turns.sin())
    step, determinant = newton_step(value, after, before)
    firm = determinant.abs() > _SINGULAR
    step = step * (firm / torch.where(firm, determinant, 1.0))
    length = (step * step).sum(0).sqrt()
    going = (length > _SETTLED) & (value.abs().amax(0) > _EXACT)
    return turns - step * (_LONGEST_STEP / length.clamp_min(_LONGEST_STEP)), going


def distinct(problem: Int[Tensor, "found"], turns: Float[Tensor, "3 found"]) -> Solutions:
    """Each solution once, sorted by problem and by rising τ3."""
    third = turns[2]
    third = torch.where(third > math.pi - _SAME, third - 2 * math.pi, third)  # no pair straddles the cut
    problem, turns = sorted_solutions(problem, torch.stack((turns[0], turns[1], third)))
    again = torch.zeros_like(problem, dtype=torch.bool)
    for ahead in range(1, len(problem)):
        near = (problem[ahead:] == problem[:-ahead]) & (turns[2, ahead:] - turns[2, :-ahead] < _SAME)
        if not near.any():
            break
        gap = torch.remainder(turns[:, ahead:] - turns[:, :-ahead] + math.pi, 2 * math.pi) - math.pi
        again[ahead:] |= near & (gap.abs().amax(0) < _SAME)
    return problem[~again], turns[:, ~again]


def sorted_solutions(problem: Int[Tensor, "found"], turns: Float[Tensor, "3 found"]) -> Solutions:
    """By problem, then by rising τ3."""
    order = (problem * 8.0 + turns[2]).argsort()
    return problem[order], turns[:, order]
