"""Rotations that cover all orientations evenly, and small turns."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_PHI, _PSI = math.sqrt(2.0), 1.533751168755204288118041  # the second solves ψ⁴ = ψ + 4


def even_rotations(count: int, dtype: torch.dtype | None = None) -> Float[Tensor, "count 3 3"]:
    """So many rotations, spread evenly over all orientations; always the same ones.

    Source: Alexa, Super-Fibonacci Spirals: Fast, Low-Discrepancy Sampling of SO(3), CVPR 2022.
    """
    s = torch.arange(count, dtype=torch.float64) + 0.5
    inner, outer = (s / max(count, 1)).sqrt(), (1 - s / max(count, 1)).sqrt()
    alpha, beta = 2 * math.pi * s / _PHI, 2 * math.pi * s / _PSI
    quaternions = (inner * alpha.sin(), inner * alpha.cos(), outer * beta.sin(), outer * beta.cos())
    return rotation_of(torch.stack(quaternions, dim=-1)).to(dtype or torch.get_default_dtype())


def rotation_of(quaternion: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation of a quaternion (real part first) of any length; of zero, the one that turns nothing."""
    squared = quaternion.square().sum(-1, keepdim=True)
    fixed = torch.zeros_like(quaternion)
    fixed[..., 0] = 1.0
    exists = squared > torch.finfo(quaternion.dtype).tiny
    unit = torch.where(exists, quaternion / torch.where(exists, squared, 1.0).sqrt(), fixed)
    w, x, y, z = unit.unbind(-1)
    rows = (
        torch.stack((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)), -1),
        torch.stack((2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)), -1),
        torch.stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), -1),
    )
    return torch.stack(rows, dim=-2)
