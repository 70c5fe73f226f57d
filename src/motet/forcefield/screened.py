"""Screened charges in a medium whose dielectric constant depends on how buried they are."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..units import COULOMB
from .derivatives import slopes_as_graph, with_parameter_gradient


def screened_charges(
    squared: Float[Tensor, "pairs"],
    buried: Float[Tensor, "pairs"],
    water: Float[Tensor, ""],
    inside: Float[Tensor, ""],
    screening: Float[Tensor, ""],
    softening: float,
) -> Float[Tensor, "pairs"]:
    """k exp(-r/λ) / (ε r) of two elementary charges, in kcal/mol, r softened: r² = d² + softening².

    Args:
        squared: d², in Å².
        buried: How buried each pair is: at 0 ε is the water's, at 1 the inside's, in geometric steps between.
        water: Logarithm of the water's dielectric constant.
        inside: Logarithm of the inside's.
        screening: 1/λ, in 1/Å.
        softening: What is added in quadrature, in Å.
    """
    fixed = squared.detach(), buried.detach()
    constants = screening, softening
    values = _Screened.apply(squared, buried, water, inside, *constants)
    assert isinstance(values, Tensor)
    return with_parameter_gradient(values, lambda one: _plain(*fixed, water, one, *constants)[0], inside)


def _plain(
    squared: Tensor, buried: Tensor, water: Tensor, inside: Tensor, screening: Tensor, softening: float
) -> tuple[Tensor]:
    r = (squared + softening**2).sqrt()
    return (COULOMB * (buried * (water - inside) - water - screening * r).exp() / r,)


class _Screened(torch.autograd.Function):
    """`_plain`, with its two slopes kept instead of a graph."""

    @staticmethod
    def forward(
        ctx: Any,
        squared: Tensor,
        buried: Tensor,
        water: Tensor,
        inside: Tensor,
        screening: Tensor,
        softening: float,
    ) -> Tensor:
        r = (squared + softening**2).sqrt_()
        inverse = r.reciprocal()
        drop = water - inside
        values = torch.addcmul(-water, buried, drop).addcmul_(r, screening, value=-1.0).exp_()
        values = values.mul_(inverse).mul_(COULOMB)
        slope = torch.add(inverse, screening).mul_(inverse).mul_(values).mul_(-0.5)
        ctx.softening = softening
        ctx.save_for_backward(squared, buried, water, inside, screening, slope, values, drop)
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, slope, values, drop = ctx.saved_tensors
        if torch.is_grad_enabled():
            found = slopes_as_graph(_plain, (*inputs, ctx.softening), pulls, 2)
        else:
            found = pulls[0] * slope, (pulls[0] * values).mul_(drop)
        return *found, None, None, None, None
