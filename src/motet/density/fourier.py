"""Maps by spatial frequency: cut-offs, blurs, and other grids. To a Fourier transform, the box repeats."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from .grid import Grid
from .map import DensityMap

FAST_PRIMES = (2, 3, 5)  # sizes with these factors alone transform fast


def frequencies(grid: Grid, like: Tensor) -> Float[Tensor, "x y half"]:
    """|s| = 1/d of each coefficient of a real transform, in 1/Å."""
    index = [torch.fft.fftfreq(n, dtype=torch.float64) for n in grid.shape[:2]]
    index.append(torch.fft.rfftfreq(grid.shape[2], dtype=torch.float64))
    waves = torch.stack(torch.meshgrid(*index, indexing="ij"), dim=-1)
    return (waves @ grid.inverse_axes.cpu().T).norm(dim=-1).to(like)


def multiplicities(grid: Grid, like: Tensor) -> Float[Tensor, "half"]:
    """How often each coefficient of a real transform stands in the whole one: 2, or 1 for its own mate."""
    twice = torch.full((grid.shape[2] // 2 + 1,), 2.0)
    twice[0] = 1.0
    if grid.shape[2] % 2 == 0:
        twice[-1] = 1.0
    return twice.to(like)


def low_pass(
    density: Float[Tensor, "*batch x y z"], grid: Grid, resolution: float
) -> Float[Tensor, "*batch x y z"]:
    """Density without anything finer than a resolution in Å: a hard cut, differentiable by the density."""
    if resolution <= 0:
        raise ConfigError(f"a resolution of {resolution} Å cuts everything; give one above 0.")
    return filtered(density, grid, (frequencies(grid, density) <= 1 / resolution).to(density.dtype))


def blurred(density: Float[Tensor, "*batch x y z"], grid: Grid, blur: float) -> Float[Tensor, "*batch x y z"]:
    """Density whose every atom has this much more B factor, in Å²; negative sharpens."""
    return filtered(density, grid, torch.exp(-0.25 * blur * frequencies(grid, density).square()))


def filtered(
    density: Float[Tensor, "*batch x y z"], grid: Grid, response: Float[Tensor, "x y half"]
) -> Float[Tensor, "*batch x y z"]:
    """Density whose Fourier coefficients are multiplied by a response."""
    waves = torch.fft.rfftn(density, dim=(-3, -2, -1))
    return torch.fft.irfftn(waves * response, s=grid.shape, dim=(-3, -2, -1))


def resampled(density: DensityMap, voxel: float) -> DensityMap:
    """The same map on voxels of about this size, in Å, by its Fourier coefficients.

    Coarser voxels drop the frequencies that they cannot hold: cut or blur the map first where that matters.

    Raises:
        ConfigError: The voxels have no size.
    """
    if voxel <= 0:
        raise ConfigError(f"voxels of {voxel} Å have no size; give one above 0.")
    grid = density.grid
    lengths = grid.voxel * torch.tensor(grid.shape)
    sizes = [_fast(max(round(length / voxel), 4)) for length in lengths.tolist()]
    waves = torch.fft.fftn(density.density)
    for axis, new in enumerate(sizes):
        waves = _fitted(waves, axis, new)
    values = torch.fft.ifftn(waves).real * (sizes[0] * sizes[1] * sizes[2] / grid.count)
    factors = torch.tensor([old / new for old, new in zip(grid.shape, sizes, strict=True)], dtype=torch.float64)
    finer = Grid((sizes[0], sizes[1], sizes[2]), grid.axes * factors[:, None], grid.origin)
    return DensityMap(values.to(density.density.dtype), finer, density.name, density.notes)


def _fitted(waves: Tensor, axis: int, size: int) -> Tensor:
    """Coefficients along one axis, with the high ones dropped or zeros put in; a lone Nyquist wave is dropped."""
    old = waves.shape[axis]
    kept = (min(old, size) - 1) // 2
    low, high = waves.narrow(axis, 0, kept + 1), waves.narrow(axis, old - kept, kept)
    shape = list(waves.shape)
    shape[axis] = size - 2 * kept - 1
    return torch.cat((low, waves.new_zeros(shape), high), dim=axis)


def _fast(size: int) -> int:
    """The next size that has no prime factor above 5."""
    while True:
        rest = size
        for prime in FAST_PRIMES:
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1
