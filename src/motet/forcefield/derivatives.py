"""Derivatives by coordinates at every call, by parameters only for those who train.

A pair function that keeps its own slope is faster than a graph of its arithmetic, but a custom function cannot
know which of its inputs somebody will differentiate by. So its slope by coordinates is one function, and its
gradient by parameters another, which adds nothing to the value and is passed over unless parameters are asked for.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def with_parameter_gradient(values: Tensor, formula: Callable[..., Tensor], *parameters: Tensor) -> Tensor:
    """The same values, with the gradient that `formula(*parameters)` has by the parameters.

    The formula is evaluated again when that gradient is asked for. It can be differentiated once.
    """
    if not torch.is_grad_enabled() or not any(one.requires_grad for one in parameters):
        return values
    attached = _Attached.apply(values.detach(), formula, *parameters)
    assert isinstance(attached, Tensor)
    return values + attached


class _Attached(torch.autograd.Function):
    """Zero, with a gradient."""

    @staticmethod
    def forward(ctx: Any, like: Tensor, formula: Callable[..., Tensor], *parameters: Tensor) -> Tensor:
        ctx.formula = formula
        ctx.save_for_backward(*parameters)
        return like.new_zeros(()).expand(like.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        leaves = [one.detach().requires_grad_(one.requires_grad) for one in ctx.saved_tensors]
        with torch.enable_grad():
            values = ctx.formula(*leaves)
        wanted = [one for one in leaves if one.requires_grad]
        found = iter(torch.autograd.grad(values, wanted, pulls[0]))
        return (None, None, *(next(found) if one.requires_grad else None for one in leaves))


def slope_as_graph(formula: Callable[..., tuple[Tensor, ...]], inputs: tuple[Tensor, ...], pulls: Any) -> Tensor:
    """Gradient of a formula by its first input, as part of a graph: for a second derivative."""
    return slopes_as_graph(formula, inputs, pulls, 1)[0]


def slopes_as_graph(
    formula: Callable[..., tuple[Tensor, ...]], inputs: tuple[Any, ...], pulls: Any, count: int
) -> tuple[Tensor, ...]:
    """Gradients by the first few inputs."""
    return torch.autograd.grad(formula(*inputs), inputs[:count], pulls, create_graph=True)
