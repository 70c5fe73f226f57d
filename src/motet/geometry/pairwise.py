"""RMSD of every conformation to every other."""

import torch
from jaxtyping import Float
from torch import Tensor

_CHUNK = 128  # conformations a block: its covariances stay in cache


def pairwise_rmsd(
    coords: Float[Tensor, "frames atoms 3"], weights: Float[Tensor, "atoms"] | None = None
) -> Float[Tensor, "frames frames"]:
    """RMSD, in Å, of every two conformations after superposition; symmetric, with a zero diagonal.

    No rotation is built: of each 3x3 covariance only the trace of the best fit is needed, the largest root of
    a quartic (Horn 1987, Theobald 2005). Worked in float64 whatever comes in, since small deviations are
    differences of large numbers: those under about 1e-6 of the size of the protein are noise.
    """
    count, atoms = coords.shape[:2]
    points = coords.double()
    share = points.new_full((atoms,), 1 / max(atoms, 1)) if weights is None else weights.double() / weights.sum()
    points = points - (share[:, None] * points).sum(-2, keepdim=True)
    points = (share[:, None].sqrt() * points).mT  # frames 3 atoms
    spread = points.square().sum((-2, -1))
    rows = []
    for start in range(0, count, _CHUNK):
        block = points[start : start + _CHUNK]
        covariance = torch.einsum("aim,bjm->ijab", block, points[start:])
        upper = spread[start : start + _CHUNK, None], spread[None, start:]
        squared = upper[0] + upper[1] - 2 * _best_trace(covariance, (upper[0] + upper[1]) / 2)
        rows.append(torch.nn.functional.pad(squared, (start, 0)))
    squared = torch.cat(rows) if rows else points.new_zeros(0, 0)
    squared = squared.triu(1)
    squared = squared + squared.mT
    rounding = 1e-13 * (spread[:, None] + spread[None, :])
    differs = squared > rounding
    return torch.where(differs, torch.where(differs, squared, 1.0).sqrt(), 0.0).to(coords.dtype)


def _best_trace(
    covariance: Float[Tensor, "3 3 rows columns"], bound: Float[Tensor, "rows columns"]
) -> Float[Tensor, "rows columns"]:
    """Largest trace(R covariance) over rotations R, by Newton's method from an upper bound.

    With p, q the first two invariants of CᵀC it is the largest root of x⁴ - 2p x² - 8 det(C) x + p² - 4q. From
    above, Newton's steps only go down. The derivative is that of the root, by one more step on a frozen one.
    """
    p, determinant, q = _invariants(covariance)
    with torch.no_grad():
        x = bound.clone()
        for _ in range(60):
            value, slope = _quartic(x, p, determinant, q)
            step = torch.where(slope > 0, value / slope, 0.0).clamp_min(0.0)
            x = x - step
            if not (step > 1e-15 * bound).any():
                break
    if not covariance.requires_grad:
        return x
    value, slope = _quartic(x, p, determinant, q)
    simple = slope.detach() > 1e-10 * bound.detach() ** 3
    slope = torch.where(simple, slope.detach(), 1.0)
    return x - torch.where(simple, (value - value.detach()) / slope, 0.0)


def _quartic(x: Tensor, p: Tensor, determinant: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """Value and slope of the quartic, grouped against cancellation."""
    beyond = x * x - p
    return beyond * beyond - 8 * determinant * x - 4 * q, 4 * (x * beyond - 2 * determinant)


def _invariants(c: Float[Tensor, "3 3 *grid"]) -> tuple[Tensor, Tensor, Tensor]:
    """|C|², det C, and the sum of the squared 2x2 minors of C."""
    normals = [torch.linalg.cross(c[i], c[j], dim=0) for i, j in ((0, 1), (0, 2), (1, 2))]
    minors = normals[0].square().sum(0) + normals[1].square().sum(0) + normals[2].square().sum(0)
    return c.square().sum((0, 1)), (c[0] * normals[2]).sum(0), minors
