"""How much protein lies around each atom."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .contact_pairs import CUTOFF, SWITCH_ON
from .derivatives import slope_as_graph, with_parameter_gradient
from .switch import switch, switch_and_slope

WIDTH = 3.5  # Å: correlation length of protein atoms, Lazaridis and Karplus (1999)


def burial_sums(
    squared: Float[Tensor, "pairs"],
    volume: Float[Tensor, "atoms"],
    i: Int[Tensor, "pairs"],
    j: Int[Tensor, "pairs"],
) -> Float[Tensor, "atoms"]:
    """Σ V exp(-r²/2s²) over the atoms around each atom, in Å³, switched off to the cut-off."""
    fixed = squared.detach()
    result = _Burial.apply(squared, volume, i, j)
    assert isinstance(result, Tensor)
    return with_parameter_gradient(result, lambda volumes: _plain(fixed, volumes, i, j)[0], volume)


def _plain(squared: Tensor, volume: Tensor, i: Tensor, j: Tensor) -> tuple[Tensor]:
    weight = (squared * (-0.5 / WIDTH**2)).exp() * switch(squared, SWITCH_ON, CUTOFF)
    return (torch.zeros_like(volume).index_add(0, i, weight * volume[j]).index_add(0, j, weight * volume[i]),)


class _Burial(torch.autograd.Function):
    """`_plain` as a function of the squared distance, with the weight's slope kept instead of a graph."""

    @staticmethod
    def forward(ctx: Any, squared: Tensor, volume: Tensor, i: Tensor, j: Tensor) -> Tensor:
        switched, switch_slope = switch_and_slope(squared, SWITCH_ON, CUTOFF)
        gauss = (squared * (-0.5 / WIDTH**2)).exp_()
        weight = gauss * switched
        slope = switch_slope.add_(switched, alpha=-0.5 / WIDTH**2).mul_(gauss)
        ctx.save_for_backward(squared, volume, i, j, slope)
        sums = torch.zeros_like(volume).scatter_add_(0, i, weight * volume.index_select(0, j))
        return sums.scatter_add_(0, j, weight * volume.index_select(0, i))

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:
        squared, volume, i, j, slope = ctx.saved_tensors
        if torch.is_grad_enabled():
            return slope_as_graph(_plain, (squared, volume, i, j), pulls), None, None, None
        at_i, at_j = pulls[0].index_select(0, i), pulls[0].index_select(0, j)
        by_weight = torch.addcmul(at_i * volume.index_select(0, j), at_j, volume.index_select(0, i))
        return by_weight.mul_(slope), None, None, None
