"""Zeros of trigonometric polynomials on the circle: isolated on a grid, refined where two may be close."""

import math
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_CELLS = 128
_PARTS = 16  # of a cell in which there may be more than one plain crossing, and of such a part again
_NEWTON_STEPS = 4
_NEARLY_TOUCHING = 0.003  # rad that a complex pair of zeros may be off the circle and still be reported
_SMALL = 1e-5  # of the largest value: where it is smaller, zeros may lie closer than signs at the ends can tell
_NOISE = 1e-11  # of the largest value, below which a minimum may be a double zero
_WIDTH = 2 * math.pi / _CELLS

Found: TypeAlias = tuple[Int[Tensor, "found"], Float[Tensor, "found"]]


class Level(NamedTuple):
    """One division of the circle, or of a cell of the level before, in equal cells.

    Args:
        width: Width of a cell, in rad.
        table: From coefficients to value, slope and second derivative (per width) at the borders of the cells.
        turns: cos kx and sin kx at the borders.
    """

    width: float
    table: Float[Tensor, "samples all_points"]
    turns: Float[Tensor, "points two degree"]

    @classmethod
    def of(cls, start: float, width: float, cells: int, degree: int, like: Tensor) -> "Level":
        """So many cells from `start`, in the precision and on the device of `like`."""
        borders = torch.arange(cells + 1, dtype=like.dtype, device=like.device) * width + start
        table = _basis(borders, degree, width)
        return cls(width, table.T, table[: cells + 1, 1:].unflatten(1, (2, degree)))


class Waves(NamedTuple):
    """Constants of a degree: where to sample, what makes coefficients of samples, and the levels of the search."""

    samples: Float[Tensor, "samples"]
    analysis: Float[Tensor, "samples samples"]
    levels: tuple[Level, ...]


def waves(degree: int, like: Tensor) -> Waves:
    """The constants for trigonometric polynomials of one degree, in the precision and on the device of `like`."""
    count = 2 * degree + 1
    samples = torch.arange(count, dtype=like.dtype, device=like.device) * (2 * math.pi / count)
    analysis = _basis(samples, degree, 0.0)[:count].T * (2 / count)
    analysis[0] /= 2
    circle = Level.of(-math.pi, _WIDTH, _CELLS, degree, like)
    finer = (Level.of(0.0, _WIDTH / parts, _PARTS, degree, like) for parts in (_PARTS, _PARTS**2))
    return Waves(samples, analysis, (circle, *finer))


def zeros(coefficients: Float[Tensor, "batch samples"], constants: Waves, thorough: bool = False) -> Found:
    """Zeros in [-π, π], and minima so near zero that they may be double zeros: whose they are, and where, in rad.

    The coefficients are of 1, cos x, …, sin x, …. A double zero may be reported more than once. Cells are divided
    again where there may be a pair of zeros or the values are small; all of them when `thorough`.
    """
    owner = torch.arange(len(coefficients), device=coefficients.device)
    start = coefficients.new_full((len(coefficients),), -math.pi)
    owners, found, noise = [], [], owner
    for level in constants.levels:
        shape = (coefficients @ level.table).chunk(3, dim=-1)
        crosses, wavers = _events(*shape)
        if level is constants.levels[0]:
            largest = shape[0].abs().amax(-1)
            small = shape[0].abs() < (math.inf if thorough else _SMALL) * largest[:, None]
            wavers, noise = wavers | small[:, 1:] | small[:, :-1], _NOISE * largest
        last = level is constants.levels[-1]
        row, cell = (crosses if last else crosses & ~wavers).nonzero(as_tuple=True)
        owners.append(owner[row])
        found.append(start[row] + level.width * (cell + _crossing(_ends(shape, row, cell))))
        if last:
            row, where = _touches(shape, noise[owner], level.width)
            owners.append(owner[row])
            found.append(start[row] + level.width * where)
        row, cell = wavers.nonzero(as_tuple=True)
        owner, start = owner[row], start[row] + level.width * cell
        coefficients = _turned(coefficients[row], level.turns[cell])
    return torch.cat(owners), torch.cat(found)


def _basis(x: Float[Tensor, "points"], degree: int, width: float) -> Float[Tensor, "all_points samples"]:
    """1, cos kx and sin kx; below them their first two derivatives by x in units of the width."""
    k = torch.arange(1, degree + 1, dtype=x.dtype, device=x.device)
    cosine, sine = (k * x[:, None]).cos(), (k * x[:, None]).sin()
    one, none = torch.ones_like(x)[:, None], torch.zeros_like(x)[:, None]
    rows = (one, cosine, sine), (none, -k * sine, k * cosine), (none, -k * k * cosine, -k * k * sine)
    return torch.cat([torch.cat(row, dim=-1) * width**order for order, row in enumerate(rows)])


def _turned(
    coefficients: Float[Tensor, "cells samples"], turns: Float[Tensor, "cells two degree"]
) -> Float[Tensor, "cells samples"]:
    """The coefficients about another origin."""
    degree = turns.shape[-1]
    constant, even, odd = coefficients.split((1, degree, degree), dim=-1)
    cosine, sine = turns.unbind(1)
    return torch.cat((constant, even * cosine + odd * sine, odd * cosine - even * sine), dim=-1)


def _events(
    value: Float[Tensor, "rows points"], slope: Float[Tensor, "rows points"], bend: Float[Tensor, "rows points"]
) -> tuple[Bool[Tensor, "rows cells"], Bool[Tensor, "rows cells"]]:
    """Cells at whose ends the signs differ, and those in which there may be a pair of zeros (besides).

    A pair has a turn between its zeros. So there is none where the slope keeps its sign: it has one sign at both
    ends, and does not come nearest to zero between them. With one turn, it must be towards zero.
    """
    up, rising, bent = value >= 0, slope >= 0, bend >= 0
    crosses, turns = _differ(up), _differ(rising)
    outwards, steepens = up == rising, rising == bent
    dips = turns & ~outwards[:, :-1]
    slope_dips = ~turns & steepens[:, 1:] & ~steepens[:, :-1]
    return crosses, torch.where(crosses, turns, dips) | slope_dips


def _differ(sign: Bool[Tensor, "rows points"]) -> Bool[Tensor, "rows cells"]:
    return sign[:, 1:] != sign[:, :-1]


def _ends(shape: tuple[Tensor, ...], row: Tensor, cell: Tensor) -> Float[Tensor, "six cells"]:
    """Value, slope and second derivative at the start of some cells, then at their end."""
    place = row * shape[0].shape[1] + cell
    return torch.stack([one.flatten()[place + side] for side in (0, 1) for one in shape])


def _crossing(ends: Float[Tensor, "six cells"]) -> Float[Tensor, "cells"]:
    """Where, 0 to 1, a value that changes its sign once is zero: Newton's method on Hermite's quintic.

    It begins at the secant; where the slope changes its sign, at the end that the value bends away from zero.
    """
    first, slope, bend, last, slope_last, bend_last = ends
    secant = first / (first - last)
    convex = torch.where(last * bend_last > 0, 1.0, 0.0)
    t = torch.where(slope * slope_last > 0, secant, convex)
    gap, low, high = last - first - slope - bend / 2, slope_last - slope - bend, bend_last - bend
    third = 10 * gap - 4 * low + high / 2
    fourth = -15 * gap + 7 * low - high
    fifth = 6 * gap - 3 * low + high / 2
    tiny = torch.finfo(t.dtype).tiny
    for _ in range(_NEWTON_STEPS):
        value, grade = fifth, torch.zeros_like(t)
        for power in (fourth, third, bend / 2, slope, first):
            grade = torch.addcmul(value, grade, t)
            value = torch.addcmul(power, value, t)
        t = (t - value / torch.where(grade.abs() > tiny, grade, tiny)).clamp(0, 1)
    return t


def _touches(shape: tuple[Tensor, ...], noise: Float[Tensor, "rows"], width: float) -> Found:
    """Where values of one sign come as near to zero as rounding, or have two crossings in a cell: row and place.

    Two places each: where the parabola at the turn is zero, or would be if it were turned over.
    """
    value, slope, bend = shape
    first, left, right = value[:, :-1], slope[:, :-1], slope[:, 1:]
    same, turns = ~_differ(value >= 0), _differ(slope >= 0)
    dips = same & turns & ((first >= 0) != (left >= 0))
    turn = left / torch.where(dips, left - right, 1.0)
    lowest = first + left * turn / 2
    bent = bend[:, 1:].abs().maximum(bend[:, :-1].abs()).clamp_min(torch.finfo(bend.dtype).tiny)
    past = (lowest >= 0) != (first >= 0)
    near = (lowest.abs() < noise[:, None]) | (2 * lowest.abs() < (_NEARLY_TOUCHING / width) ** 2 * bent)
    row, cell = (dips & (past | near)).nonzero(as_tuple=True)
    middle = cell + turn[row, cell]
    apart = (2 * lowest.abs() / bent).sqrt().clamp_max(0.5)[row, cell]
    return torch.cat((row, row)), torch.cat((middle - apart, middle + apart))
