"""Smooth surfaces over two torsions: periodic cubic B-splines, with two continuous derivatives."""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor


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
    first: Float[Tensor, "*batch sites"],
    second: Float[Tensor, "*batch sites"],
) -> Float[Tensor, "*batch sites"]:
    """Height of a surface at two angles in rad; node 0 lies at -π."""
    nodes = coefficients.shape[-1]
    row, row_weights = _weights(first, nodes)
    column, column_weights = _weights(second, nodes)
    place = (which * nodes)[..., None, None] + row[..., :, None]
    place = place * nodes + column[..., None, :]
    patch = coefficients.flatten().index_select(0, place.flatten()).reshape(place.shape)
    return (patch * row_weights[..., :, None] * column_weights[..., None, :]).sum((-2, -1))


def _weights(
    angle: Float[Tensor, "*batch"], nodes: int
) -> tuple[Int[Tensor, "*batch 4"], Float[Tensor, "*batch 4"]]:
    """The four nodes around an angle, and the cubic B-spline's weight of each."""
    position = (angle + torch.pi) * (nodes / (2 * torch.pi))
    whole = position.detach().floor()
    t = position - whole
    s = 1.0 - t
    weights = torch.stack(
        (s * s * s, 4.0 + t * t * (3.0 * t - 6.0), 4.0 + s * s * (3.0 * s - 6.0), t * t * t), dim=-1
    )
    around = whole.long()[..., None] + torch.arange(-1, 3, device=angle.device)
    return around.remainder(nodes), weights / 6.0
