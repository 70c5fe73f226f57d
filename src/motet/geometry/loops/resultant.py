"""All real solutions of the three bilinear equations of a tripeptide: one resultant, then Newton's method."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .circle import Waves, waves, zeros
from .newton import Solutions, distinct, polished, sorted_solutions

_DEGREE = 8
_NEAR_PAIR = 0.02  # residual up to which τ1 and τ2 are taken to go with a zero
_NEAR_PAIR_THOROUGH = 0.5


@torch.no_grad()
def solve(
    equations: Float[Tensor, "batch 3 3 3"], closes: Bool[Tensor, "batch"]
) -> tuple[Int[Tensor, "solutions"], Float[Tensor, "solutions 3"]]:
    """Turns τ of the bodies, in rad, with w(τ of i-1)ᵀ M_i w(τ of i) = 0, and the problem that each solves.

    Sorted by problem and rising τ3.
    """
    able = closes.nonzero().squeeze(-1)
    problem, turns = _solve(equations[able].movedim(0, -1).contiguous(), waves(_DEGREE, equations))
    return able[problem], turns.T


def _solve(m: Float[Tensor, "3 3 3 batch"], constants: Waves) -> Solutions:
    """Solutions of some problems; an odd number, where one must be lost or double, is searched anew."""
    problem, turns = _searched(m, constants, thorough=False)
    odd = problem.bincount(minlength=m.shape[-1]) % 2 == 1
    if not odd.any():
        return problem, turns
    again, anew = _searched(m[..., odd], constants, thorough=True)
    again = odd.nonzero().squeeze(-1)[again]
    settled = ~odd[problem]
    return sorted_solutions(torch.cat((problem[settled], again)), torch.cat((turns[:, settled], anew), dim=1))


def _searched(m: Float[Tensor, "3 3 3 batch"], constants: Waves, thorough: bool) -> Solutions:
    coefficients = (constants.analysis @ _resultant(m, constants.samples)).T
    problem, third = zeros(coefficients, constants, thorough)
    problem, turns = _starts(m, problem, third, _NEAR_PAIR_THOROUGH if thorough else _NEAR_PAIR)
    turns, good = polished(m[..., problem], turns)
    return distinct(problem[good], turns[:, good])


def _resultant(m: Float[Tensor, "3 3 3 batch"], third: Float[Tensor, "samples"]) -> Float[Tensor, "samples batch"]:
    """The resultant at values of τ3: zero where some τ1, τ2 solve the equations with it.

    With τ3 known, corner 1 puts w(τ1) on the line a, corner 3 puts w(τ2) on the line b. Corner 2 and the unit
    circle J each cut b in two points, and R = D(S, J)² - D(S, S) D(J, J) vanishes where they share one;
    D(X, Y) is bᵀ adj(X, Y) b, and S = KᵀJK with K = [a]× M2, whose adjugate factors.
    """
    w = torch.stack((torch.ones_like(third), third.cos(), third.sin()), dim=-1)
    a = (w @ m[0].flatten(1)).unflatten(1, (3, -1))
    b = (w @ m[2].transpose(0, 1).flatten(1)).unflatten(1, (3, -1))
    b0, b1, b2 = b.unbind(1)
    k = _cross(a[:, :, None], m[1], 1)  # samples, component, column, batch
    k_b0, k_b1, k_b2 = (k[:, :, 0], k[:, :, 1] * b1[:, None], k[:, :, 2] * b2[:, None])
    k_b0 = k_b0 * b0[:, None]
    rest = k_b1 + k_b2
    k_b, k_flipped = rest + k_b0, rest - k_b0
    lengths = _cone(k, k)  # of each column
    first, others = lengths[:, 0], lengths[:, 1] + lengths[:, 2]
    late, early = b1.square() + b2.square(), b0.square()
    mixed = _cone(k_b, k_flipped) - 0.5 * (
        (first + others) * (late - early) + _cone(k_b, k_b) - 2 * first * (late + early)
    )
    columns = m[1].unbind(1)
    adjugate = torch.stack([_cross(columns[i], columns[j], 0) for i, j in ((1, 2), (2, 0), (0, 1))])
    across = (b * (a[:, None] * adjugate).sum(2)).sum(1)
    return mixed.square() - _cone(a, a) * (late - early) * across.square()


def _cross(x: Tensor, y: Tensor, dim: int) -> Tensor:
    """Cross product along one dimension of x, whose place in y is one less where x has the samples before it."""
    (x0, x1, x2), (y0, y1, y2) = x.unbind(dim), y.unbind(0)
    return torch.stack((x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0), dim=dim)


def _cone(x: Float[Tensor, "samples 3 *batch"], y: Float[Tensor, "samples 3 *batch"]) -> Tensor:
    """xᵀ J y with J = diag(-1, 1, 1)."""
    return x[:, 1] * y[:, 1] + x[:, 2] * y[:, 2] - x[:, 0] * y[:, 0]


def _starts(
    m: Float[Tensor, "3 3 3 batch"], problem: Int[Tensor, "zeros"], third: Float[Tensor, "zeros"], near: float
) -> tuple[Int[Tensor, "starts"], Float[Tensor, "3 starts"]]:
    """Where Newton's method begins: for each zero of the resultant the τ1 and τ2 that may go with it."""
    c, s = third.cos(), third.sin()
    m1, m2, m3 = m[0][..., problem], m[1][..., problem], m[2][..., problem]
    first = _on_line(m1[0] + c * m1[1] + s * m1[2])
    second = _on_line(m3[:, 0] + c * m3[:, 1] + s * m3[:, 2])
    onto = [m2[:, 0] + m2[:, 1] * w[0] + m2[:, 2] * w[1] for w in second]
    miss = torch.stack([(y[0] + w[0] * y[1] + w[1] * y[2]).abs() for w in first for y in onto])
    miss = torch.where(miss == miss.amin(0), 0.0, miss)
    pair, zero = (miss < near).nonzero(as_tuple=True)
    chosen = [torch.stack(both)[index, :, zero] for both, index in ((first, pair // 2), (second, pair % 2))]
    turns = [torch.atan2(w[:, 1], w[:, 0]) for w in chosen]
    return problem[zero], torch.stack((*turns, third[zero]))


def _on_line(line: Float[Tensor, "3 zeros"]) -> tuple[Float[Tensor, "2 zeros"], Float[Tensor, "2 zeros"]]:
    """Cosine and sine of the two τ with line · w(τ) = 0; the nearest one, twice, where the line misses."""
    radius = torch.hypot(line[1], line[2]).clamp_min(torch.finfo(line.dtype).tiny)
    along, toward = (-line[0] / radius).clamp(-1, 1), line[1:] / radius
    aside = (1 - along.square()).clamp_min(0).sqrt() * torch.stack((-toward[1], toward[0]))
    middle = along * toward
    return middle + aside, middle - aside
