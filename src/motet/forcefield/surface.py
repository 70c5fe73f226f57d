"""Smooth surfaces over two torsions: periodic cubic B-splines, with two continuous derivatives."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from .derivatives import slope_as_graph, with_parameter_gradient


def spline_coefficients(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of the periodic cubic B-spline through values on an even grid, over the last two axes."""
    for axis in (-2, -1):
        size = values.shape[axis]
        response = (4.0 + 2.0 * np.cos(2 * np.pi * np.arange(size) / size)) / 6.0
        shape = [1] * values.ndim
        shape[axis] = size
        values = np.fft.ifft(np.fft.fft(values, axis=axis) / response.reshape(shape), axis=axis).real
    return values


def on_surface(
    coefficients: Float[Tensor, "surfaces nodes nodes"],
    which: Int[Tensor, "sites"],
    angles: Float[Tensor, "2 *batch sites"],
) -> Float[Tensor, "*batch sites"]:
    """Height of a surface at two angles in rad; node 0 lies at -π."""
    fixed = angles.detach()
    heights = _Height.apply(angles, coefficients, which)
    assert isinstance(heights, Tensor)
    return with_parameter_gradient(heights, lambda c: _plain(fixed, c, which)[0], coefficients)


def _plain(angles: Tensor, coefficients: Tensor, which: Tensor) -> tuple[Tensor]:
    nodes = coefficients.shape[-1]
    place, t = _place(angles, nodes)
    weights = _powers(t) @ _basis(t)[:, :4]
    patch = coefficients.flatten().index_select(0, _corners(which, place, nodes).flatten())
    patch = patch.unflatten(0, (*t.shape[1:], 4, 4))
    return (((patch * weights[1][..., None, :]).sum(-1) * weights[0]).sum(-1),)


class _Height(torch.autograd.Function):
    """`_plain` as a function of the angles, with both slopes kept instead of a graph."""

    @staticmethod
    def forward(ctx: Any, angles: Tensor, coefficients: Tensor, which: Tensor) -> Tensor:
        nodes = coefficients.shape[-1]
        place, t = _place(angles, nodes)
        weights = (_powers(t) @ _basis(t)).unflatten(-1, (2, 4))  # the four weights, then their slopes
        patch = coefficients.flatten().index_select(0, _corners(which, place, nodes).flatten())
        along = patch.unflatten(0, (*t.shape[1:], 4, 4)) @ weights[1].mT
        found = weights[0] @ along
        ctx.save_for_backward(angles, coefficients, which, found)
        return found[..., 0, 0]

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:
        angles, coefficients, which, found = ctx.saved_tensors
        if torch.is_grad_enabled():
            return slope_as_graph(_plain, (angles, coefficients, which), pulls), None, None
        scaled = pulls[0] * (coefficients.shape[-1] / (2 * torch.pi))
        return torch.stack((found[..., 1, 0] * scaled, found[..., 0, 1] * scaled)), None, None


def _place(angles: Tensor, nodes: int) -> tuple[Tensor, Tensor]:
    """The node before each angle, and how far on the way to the next it lies."""
    position = (angles + torch.pi) * (nodes / (2 * torch.pi))
    whole = position.detach().floor()
    return whole.long(), position - whole


def _corners(which: Tensor, place: Tensor, nodes: int) -> Int[Tensor, "*batch sites 4 4"]:
    """Places of the sixteen nodes around, among the coefficients of all surfaces."""
    around = (place[..., None] + torch.arange(-1, 3, device=place.device)).remainder(nodes)
    rows = (around[0] + (which * nodes)[:, None]) * nodes
    return rows[..., None] + around[1][..., None, :]


def _powers(t: Tensor) -> Float[Tensor, "*angles 4"]:
    square = t * t
    return torch.stack((torch.ones_like(t), t, square, square * t), dim=-1)


def _basis(like: Tensor) -> Float[Tensor, "4 8"]:
    """The cubic B-spline's four weights as polynomials of the way between two nodes, then their derivatives."""
    return like.new_tensor(_WEIGHTS).div_(6.0)


_WEIGHTS = (
    (1.0, 4.0, 1.0, 0.0, -3.0, 0.0, 3.0, 0.0),
    (-3.0, 0.0, 3.0, 0.0, 6.0, -12.0, 6.0, 0.0),
    (3.0, -6.0, 3.0, 0.0, -3.0, 9.0, -9.0, 3.0),
    (-1.0, 3.0, -3.0, 1.0, 0.0, 0.0, 0.0, 0.0),
)
