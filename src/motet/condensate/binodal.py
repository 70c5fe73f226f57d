"""Where a polymer solution parts in two: the dilute branch of the Flory-Huggins binodal, with exact gradients."""

import torch
from jaxtyping import Float
from torch import Tensor

_HALVINGS = 50


def critical_interaction(length: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """χ above which chains of this many segments part: ½ (1 + N^-½)²."""
    return 0.5 * (1.0 + length.rsqrt()).square()


def log_dilute_fraction(
    length: Float[Tensor, "*batch"], interaction: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """ln of the volume fraction of polymer in the dilute phase.

    f(φ) = φ/N ln φ + (1-φ) ln(1-φ) + χ φ (1-φ); both phases share a tangent (Flory, 1942; Huggins, 1942).
    Solved in float64 by bisection; gradients by N and χ are those of the implicit function.

    Args:
        length: N, segments of a chain, above 1.
        interaction: χ, above its critical value.
    """
    return _DiluteBranch.apply(length.double(), interaction.double()).to(interaction.dtype)  # type: ignore[no-any-return]


class _DiluteBranch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, length: Tensor, interaction: Tensor) -> Tensor:  # type: ignore[override]
        log_dilute, dense = _common_tangent(length, interaction)
        ctx.save_for_backward(length, interaction, log_dilute, dense)
        return log_dilute

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        n, chi, log_dilute, dense = ctx.saved_tensors
        dilute = log_dilute.exp()
        # φ f'' stays finite where φ itself has no digits left
        scaled_curvature = 1.0 / n + dilute / (1.0 - dilute) - 2.0 * chi * dilute
        gap = dense - dilute
        by_chi = -gap / scaled_curvature
        potential_by_n = (dilute * log_dilute - dense * dense.log()) / (n.square() * gap)
        by_n = (potential_by_n + (log_dilute + 1.0) / n.square()) / scaled_curvature
        return grads[0] * by_n, grads[0] * by_chi


def _common_tangent(n: Tensor, chi: Tensor) -> tuple[Tensor, Tensor]:
    """ln φ of the dilute, φ of the dense phase: the tangent's slope lies between those at the two spinodals."""
    middle, product = 2.0 * chi - 1.0 + 1.0 / n, 2.0 * chi / n
    root = (middle.square() - 4.0 * product).clamp_min(0.0).sqrt()
    spinodal_dense = (middle + root) / (4.0 * chi)
    spinodal_dilute = 1.0 / (n * 2.0 * chi * spinodal_dense)  # the product of the two roots is 1 / (2 χ N)
    low, high = _slope(spinodal_dense.log(), n, chi), _slope(spinodal_dilute.log(), n, chi)
    log_dilute, dense = spinodal_dilute.log(), spinodal_dense
    for _ in range(_HALVINGS):
        slope = 0.5 * (low + high)
        log_dilute, dense = _phases_of(slope, n, chi, spinodal_dilute.log(), spinodal_dense)
        above = _intercept(dense.log(), n, chi) > _intercept(log_dilute, n, chi)
        low, high = torch.where(above, slope, low), torch.where(above, high, slope)
    return log_dilute, dense


def _phases_of(slope: Tensor, n: Tensor, chi: Tensor, dilute: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
    """ln φ of the dilute, φ of the dense composition at which f has this slope."""
    outer, inner = torch.minimum(n * (slope - chi) - 2.0 * n, dilute - 1.0), dilute
    left, right = dense, torch.ones_like(dense)
    for _ in range(_HALVINGS):
        middle = 0.5 * (outer + inner)
        below = _slope(middle, n, chi) < slope
        outer, inner = torch.where(below, middle, outer), torch.where(below, inner, middle)
        centre = 0.5 * (left + right)
        under = _slope(centre.log(), n, chi) < slope
        left, right = torch.where(under, centre, left), torch.where(under, right, centre)
    return 0.5 * (outer + inner), 0.5 * (left + right)


def _slope(log_fraction: Tensor, n: Tensor, chi: Tensor) -> Tensor:
    fraction = log_fraction.exp()
    return (log_fraction + 1.0) / n - torch.log1p(-fraction) - 1.0 + chi * (1.0 - 2.0 * fraction)


def _intercept(log_fraction: Tensor, n: Tensor, chi: Tensor) -> Tensor:
    """f - φ f', which equals minus the osmotic pressure."""
    fraction = log_fraction.exp()
    return torch.log1p(-fraction) + fraction * (1.0 - 1.0 / n) + chi * fraction.square()
