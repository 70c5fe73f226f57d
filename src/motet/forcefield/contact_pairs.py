"""Lennard-Jones attraction and repulsion of all pairs in one pass, with the derivative beside the value."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .derivatives import slope_as_graph, with_parameter_gradient
from .switch import switch, switch_and_slope

SWITCH_ON, CUTOFF = 7.0, 9.0  # Å: pair functions are themselves up to the first, zero from the second on
KNEE = 0.65  # of the distance of the minimum: carbons meet it at 2.7 Å, where a contact costs 18 kcal/mol
_KNEE_HEIGHT = KNEE**-6 - 1.0
_KNEE_SLOPE = 6.0 * _KNEE_HEIGHT * KNEE**-8


def contact_energies(
    squared: Float[Tensor, "pairs"],
    depth: Float[Tensor, "codes"],
    minimum: Float[Tensor, "codes"],
    code: Int[Tensor, "pairs"],
) -> tuple[Float[Tensor, "pairs"], Float[Tensor, "pairs"]]:
    """Attraction and repulsion of each pair in kcal/mol, after Weeks, Chandler and Andersen (1971).

    With s = (r/r_min)² and x = s⁻³: attraction is ε (x² - 2x), -ε inside the minimum, switched off to the cut-off.
    Repulsion is ε (x - 1)² inside the minimum, and below the knee its tangent in s, so that it stays finite.

    Args:
        squared: Squared distances, in Å².
        depth: ε in kcal/mol, by code.
        minimum: r_min in Å, by code.
        code: Code of each pair.
    """
    scale, fixed = minimum.pow(-2), squared.detach()
    attraction, repulsion = _Contacts.apply(squared, depth, scale, code)
    return (
        with_parameter_gradient(attraction, lambda a, b: _plain(fixed, a, b, code)[0], depth, scale),
        with_parameter_gradient(repulsion, lambda a, b: _plain(fixed, a, b, code)[1], depth, scale),
    )


def _plain(squared: Tensor, depth: Tensor, scale: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
    well, s = depth[code], squared * scale[code]
    x = s.clamp_min(1.0).pow(-3)
    attraction = well * x * (x - 2.0) * switch(squared, SWITCH_ON, CUTOFF)
    excess = s.clamp(KNEE * KNEE, 1.0).pow(-3) - 1.0
    below = (KNEE * KNEE - s).clamp_min(0.0)
    return attraction, well * (excess * excess + _KNEE_SLOPE * below)


class _Contacts(torch.autograd.Function):
    """`_plain` as a function of the squared distance, with its slopes kept instead of a graph."""

    @staticmethod
    def forward(ctx: Any, squared: Tensor, depth: Tensor, scale: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        well, squeeze = depth.index_select(0, code), scale.index_select(0, code)
        s = squared * squeeze
        switched, switch_slope = switch_and_slope(squared, SWITCH_ON, CUTOFF)
        inverse = s.clamp_min(1.0).reciprocal_()
        x = inverse * inverse * inverse
        shape = x * (x - 2.0)
        # d(x² - 2x)/ds = -6 x (x - 1) / s; inside the minimum x = 1, and the slope vanishes by itself.
        slope = (x - 1.0).mul_(x).mul_(inverse).mul_(squeeze).mul_(-6.0)
        attraction_slope = torch.addcmul(slope.mul_(switched), shape, switch_slope).mul_(well)
        attraction = shape.mul_(switched).mul_(well)
        inverse = s.clamp(KNEE * KNEE, 1.0).reciprocal_()
        x = inverse * inverse * inverse
        excess = x - 1.0
        below = (KNEE * KNEE - s).clamp_min_(0.0)
        # At and below the knee x and its slope stand still, so one expression gives both branches' slope.
        repulsion_slope = (x * inverse).mul_(excess).mul_(squeeze).mul_(well).mul_(-6.0)
        repulsion = torch.add(excess.square_(), below, alpha=_KNEE_SLOPE).mul_(well)
        ctx.save_for_backward(squared, depth, scale, code, attraction_slope, repulsion_slope)
        return attraction, repulsion

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, attraction_slope, repulsion_slope = ctx.saved_tensors
        if torch.is_grad_enabled():
            return slope_as_graph(_plain, tuple(inputs), pulls), None, None, None
        return torch.addcmul(pulls[0] * attraction_slope, pulls[1], repulsion_slope), None, None, None
