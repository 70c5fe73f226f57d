"""All real solutions of the three bilinear equations of a tripeptide: one resultant, then Newton's method."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SOLUTIONS = 16  # the degree of the problem: never more real ones
_SAMPLES = 32
_DEGREE = 8
_NEAR_CIRCLE = 0.05  # candidates only: close pairs of eigenvalues leave the circle by about the root of rounding
_NEAR_PAIR = 0.2
_LONGEST_STEP = 0.3  # rad
_STEPS = 40
_RESIDUAL = 1e-9
_SAME = 1e-5  # rad


@torch.no_grad()
def solve(
    equations: Float[Tensor, "batch 3 3 3"], closes: Bool[Tensor, "batch"]
) -> tuple[Float[Tensor, "batch solutions 3"], Bool[Tensor, "batch solutions"]]:
    """Turns τ of the bodies, in rad, with w(τ of i-1)ᵀ M_i w(τ of i) = 0, and which of 16 places hold one."""
    problem, turns = _candidates(equations, closes)
    turns, good = _newton(equations, problem, turns)
    return _distinct(problem[good], turns[good], len(equations))


def unit(turns: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 3"]:
    """w(τ) = (1, cos τ, sin τ)."""
    return torch.stack((torch.ones_like(turns), turns.cos(), turns.sin()), dim=-1)


def residual(
    equations: Float[Tensor, "*#batch 3 3 3"], turns: Float[Tensor, "*#batch 3"]
) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch 3"], Float[Tensor, "*batch 3"]]:
    """The three equations, their slopes by the body after the corner, and by the body before it."""
    w, slope = unit(turns), torch.stack((torch.zeros_like(turns), -turns.sin(), turns.cos()), dim=-1)
    before, slope_before = w.roll(1, dims=-2), slope.roll(1, dims=-2)
    onto = (equations @ w.unsqueeze(-1)).squeeze(-1)
    onto_slope = (equations @ slope.unsqueeze(-1)).squeeze(-1)
    return (before * onto).sum(-1), (before * onto_slope).sum(-1), (slope_before * onto).sum(-1)


def newton_step(
    value: Float[Tensor, "*batch 3"], after: Float[Tensor, "*batch 3"], before: Float[Tensor, "*batch 3"]
) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch"]]:
    """J⁻¹ F times det J, and det J, of the cyclic 3x3 system."""
    determinant = after.prod(-1) + before.prod(-1)
    following, previous = after.roll(-1, dims=-1), after.roll(1, dims=-1)
    step = (
        following * previous * value
        - before * following * value.roll(1, dims=-1)
        + before * before.roll(1, dims=-1) * value.roll(-1, dims=-1)
    )
    return step, determinant


def _resultant(m: Float[Tensor, "batch 3 3 3"], third: Float[Tensor, "samples"]) -> Float[Tensor, "batch samples"]:
    """The resultant at values of τ3: zero where some τ1, τ2 solve the equations with it.

    With τ3 known, corner 1 puts w(τ1) on the line a, corner 3 puts w(τ2) on the line b. Corner 2 and the unit
    circle J each cut b in two points, and R = D(S, J)² - D(S, S) D(J, J) vanishes where they share one;
    D(X, Y) is bᵀ adj(X, Y) b, and S = KᵀJK with K = [a]× M2, whose adjugate factors.
    """
    w = unit(third)
    a, b = w @ m[:, 0], w @ m[:, 2].mT
    m2 = m[:, None, 1]
    columns = torch.linalg.cross(a[..., None, :], m2.mT, dim=-1)  # K's columns as rows
    k_b = (columns * b[..., None]).sum(-2)
    flipped = b * b.new_tensor([-1.0, 1, 1])
    k_flipped = (columns * flipped[..., None]).sum(-2)
    lengths = _cone(columns, columns)
    trace, against = lengths.sum(-1), (lengths * b.new_tensor([-1.0, 1, 1])).sum(-1)
    mixed = _cone(k_b, k_flipped) - 0.5 * (
        trace * (b * flipped).sum(-1) + _cone(k_b, k_b) - (trace - against) * b.square().sum(-1)
    )
    adjugate = torch.stack(
        [torch.linalg.cross(m[:, 1, :, i], m[:, 1, :, j]) for i, j in ((1, 2), (2, 0), (0, 1))], 1
    )
    across = (b * (a @ adjugate.mT)).sum(-1)
    return mixed.square() - _cone(a, a) * _cone(b, b) * across.square()


def _cone(x: Float[Tensor, "*#batch 3"], y: Float[Tensor, "*#batch 3"]) -> Float[Tensor, "*batch"]:
    """xᵀ J y with J = diag(-1, 1, 1)."""
    return (x[..., 1:] * y[..., 1:]).sum(-1) - x[..., 0] * y[..., 0]


def _candidates(
    m: Float[Tensor, "batch 3 3 3"], closes: Bool[Tensor, "batch"]
) -> tuple[Int[Tensor, "candidates"], Float[Tensor, "candidates 3"]]:
    """Starting points: the problem each belongs to, and its three turns."""
    third, near = _roots(m)
    w = unit(third)
    a, b = w @ m[:, 0], w @ m[:, 2].mT
    first, second = _both_on_line(a)[..., :, None], _both_on_line(b)[..., None, :]
    first, second = torch.broadcast_tensors(first, second)
    miss = (unit(first) * (unit(second) @ m[:, None, None, 1].mT)).sum(-1).abs()
    start = near[..., None, None] & (miss < _NEAR_PAIR) & closes[:, None, None, None]
    problem = start.nonzero()[:, 0]
    third = third[..., None, None].expand_as(first)
    return problem, torch.stack((first[start], second[start], third[start]), dim=-1)


def _roots(m: Float[Tensor, "batch 3 3 3"]) -> tuple[Float[Tensor, "batch roots"], Bool[Tensor, "batch roots"]]:
    """Angles of the 16 roots of the resultant in exp(i τ3), and which of them are near the circle."""
    samples = torch.arange(_SAMPLES, dtype=m.dtype, device=m.device) * (2 * math.pi / _SAMPLES)
    powers = torch.arange(-_DEGREE, _DEGREE + 1, dtype=m.dtype, device=m.device)
    waves = torch.polar(torch.full((), 1 / _SAMPLES, dtype=m.dtype), -samples[:, None] * powers)
    coefficients = _resultant(m, samples).to(waves) @ waves
    size = coefficients.abs().amax(-1, keepdim=True).clamp_min(torch.finfo(m.dtype).tiny)
    leading = coefficients[:, -1:]
    leading = torch.where(leading.abs() > 1e-16 * size, leading, 1e-16 * size + 0j)
    companion = torch.diag_embed(torch.ones_like(coefficients[:, :-2]), offset=-1)
    companion[:, :, -1] -= coefficients[:, :-1] / leading
    roots = torch.linalg.eigvals(companion)
    return roots.angle(), (roots.abs() - 1).abs() < _NEAR_CIRCLE


def _both_on_line(line: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 2"]:
    """The two turns τ with line · w(τ) = 0; the nearest one, twice, where the line misses the circle."""
    middle = torch.atan2(line[..., 2], line[..., 1])
    radius = torch.hypot(line[..., 1], line[..., 2]).clamp_min(torch.finfo(line.dtype).tiny)
    half = torch.acos((-line[..., 0] / radius).clamp(-1, 1))
    return torch.stack((middle + half, middle - half), dim=-1)


def _newton(
    equations: Float[Tensor, "batch 3 3 3"],
    problem: Int[Tensor, "candidates"],
    turns: Float[Tensor, "candidates 3"],
) -> tuple[Float[Tensor, "candidates 3"], Bool[Tensor, "candidates"]]:
    """Candidates polished, and which of them became solutions; those that have settled drop out."""
    turns, active = turns.clone(), torch.arange(len(turns), device=turns.device)
    for _ in range(_STEPS):
        if not len(active):
            break
        step, determinant = newton_step(*residual(equations[problem[active]], turns[active]))
        small = determinant.abs() < 1e-14
        step = torch.where(small, 0.0, 1.0)[:, None] * step / torch.where(small, 1.0, determinant)[:, None]
        length = step.norm(dim=-1, keepdim=True)
        turns[active] -= step * (_LONGEST_STEP / length.clamp_min(_LONGEST_STEP))
        active = active[(length > 1e-13).squeeze(-1)]
    value, _, _ = residual(equations[problem], turns)
    return torch.remainder(turns + math.pi, 2 * math.pi) - math.pi, value.abs().amax(-1) < _RESIDUAL


def _distinct(
    problem: Int[Tensor, "found"], turns: Float[Tensor, "found 3"], batch: int
) -> tuple[Float[Tensor, "batch solutions 3"], Bool[Tensor, "batch solutions"]]:
    """Each solution once, by rising τ3, in 16 places a problem."""
    key = turns[:, 2].argsort(stable=True)
    order = key[problem[key].argsort(stable=True)]
    problem, turns = problem[order], turns[order]
    dense, filled = _dense(problem, turns, batch)
    gap = torch.remainder(dense[:, :, None] - dense[:, None] + math.pi, 2 * math.pi) - math.pi
    same = (gap.abs().amax(-1) < _SAME) & filled[:, None]
    fresh = filled & ~same.tril(-1).any(-1)
    place = fresh.nonzero()[:, 0]
    dense, filled = _dense(place, dense[fresh], batch, SOLUTIONS)
    return dense, filled


def _dense(
    problem: Int[Tensor, "found"], turns: Float[Tensor, "found 3"], batch: int, places: int = 0
) -> tuple[Float[Tensor, "batch places 3"], Bool[Tensor, "batch places"]]:
    """A list sorted by problem as a table with a row for each problem."""
    count = problem.bincount(minlength=batch)
    column = torch.arange(len(problem), device=turns.device) - (count.cumsum(0) - count)[problem]
    places = places or int(count.max()) if batch else places
    assert not len(column) or int(column.max()) < places, "a tripeptide has at most 16 closures"
    table, filled = (
        turns.new_zeros(batch, places, 3),
        torch.zeros(batch, places, dtype=torch.bool, device=turns.device),
    )
    table[problem, column] = turns
    filled[problem, column] = True
    return table, filled
