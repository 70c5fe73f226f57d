"""Squared distances of pairs, with a gradient that is summed without atomics or boolean masks."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


class _Squared(torch.autograd.Function):
    """|a_i - a_j|²; the backward pass keeps one difference a pair instead of a graph of gathers."""

    @staticmethod
    def forward(ctx: Any, points: Tensor, i: Tensor, j: Tensor) -> Tensor:
        difference = _difference(points, i, j)
        ctx.save_for_backward(points, difference, i, j)
        return _dot(difference)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        points, difference, i, j = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted
            difference = _difference(points, i, j)
        pull = difference * (2.0 * gradients[0])
        zeros = torch.zeros_like(points)
        return zeros.index_add(1, i, pull).index_add(1, j, pull, alpha=-1), None, None


def _difference(points: Tensor, i: Tensor, j: Tensor) -> Tensor:
    return points.index_select(1, i) - points.index_select(1, j)


def _dot(difference: Tensor) -> Tensor:
    x, y, z = difference.unbind(0)
    return torch.addcmul(torch.addcmul(x * x, y, y), z, z)


def squared_distances(
    points: Float[Tensor, "3 atoms"], i: Int[Tensor, "pairs"], j: Int[Tensor, "pairs"]
) -> Float[Tensor, "pairs"]:
    """Squared distance of each pair, in Å²; coordinates come as three rows, gathered faster than points."""
    result = _Squared.apply(points, i, j)
    assert isinstance(result, Tensor)
    return result
