"""From atoms to density: a sum of Gaussians, added to the voxels near each atom.

ρ(r) = Σ occupancy Σ a (4π / w)^{3/2} exp(-4π² |r - x|² / w), with w = b + B + blur of each Gaussian.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..errors import ConfigError
from ..shapes import Coords
from .grid import Grid
from .scattering import Scatterers

TAIL = 1e-4  # of its height: where the widest Gaussian of an atom is cut off
CHUNK = 1 << 21  # voxels that one chunk of atoms touches


def render(
    coords: Coords,
    scatterers: Scatterers,
    b_factors: Float[Tensor, "*#batch atoms"],
    occupancies: Float[Tensor, "*#batch atoms"],
    grid: Grid,
    *,
    blur: float = 0.0,
    tail: float = TAIL,
) -> Float[Tensor, "*batch x y z"]:
    """Density of atoms on a grid; differentiable once by coordinates, B factors and occupancies.

    Atoms outside the grid add what reaches into it. Memory is bounded: atoms are taken in chunks, and the backward
    pass computes each chunk again.

    Args:
        coords: In Å.
        scatterers: Form factors of the atoms.
        b_factors: In Å².
        occupancies: Share of each atom that is there; also the weight of a state in a mixture.
        grid: The voxels.
        blur: Added to every B factor, in Å²; 4 d² shows the atoms as a map of d Å would (ChimeraX's molmap).
        tail: Where to cut an atom off, as a fraction of the height of its widest Gaussian.

    Raises:
        ConfigError: A Gaussian would have no width: a B factor is too negative.
    """
    batch, atoms = coords.shape[:-2], coords.shape[-2]
    conformations = math.prod(batch)
    scatterers = scatterers.to(coords)
    widths = scatterers.widths + (b_factors.to(coords) + blur).unsqueeze(-1)
    if widths.numel() and not bool(widths.detach().min() > 0):
        raise ConfigError(
            f"a B factor of {float(b_factors.min()):.1f} Å² leaves an atom no width; raise it or blur the map."
        )
    peaks = occupancies.to(coords).unsqueeze(-1) * scatterers.amplitudes * (4 * math.pi / widths) ** 1.5
    shape = (conformations, atoms, scatterers.widths.shape[-1])
    peaks = peaks.expand(*batch, *peaks.shape[-2:]).reshape(shape).flatten(0, 1)
    falloffs = (4 * math.pi**2 / widths).expand(*batch, *widths.shape[-2:]).reshape(shape).flatten(0, 1)
    voxels = grid.to_voxels(coords).reshape(-1, 3)
    values = _Splat.apply(voxels, peaks, falloffs, grid, conformations, tail)
    assert isinstance(values, Tensor)
    return values.reshape(*batch, *grid.shape)


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Atoms of like radius and the voxels around each: offsets from the nearest voxel along each index."""

    atoms: Int[Tensor, "chunk"]
    offsets: tuple[Int[Tensor, "nx"], Int[Tensor, "ny"], Int[Tensor, "nz"]]
    nearest: Int[Tensor, "chunk 3"]


class _Splat(torch.autograd.Function):
    """Atoms, in voxels, to the values of all voxels, conformation after conformation."""

    @staticmethod
    def forward(ctx, voxels, peaks, falloffs, grid, conformations, tail):
        ctx.save_for_backward(voxels, peaks, falloffs)
        ctx.grid, ctx.conformations, ctx.tail = grid, conformations, tail
        values = voxels.new_zeros(conformations * grid.count)
        for chunk in _chunks(voxels, falloffs, grid, tail):
            near = chunk.atoms
            block, index = _block(
                voxels[near], peaks[near], falloffs[near], chunk, grid, _start(ctx, near, voxels)
            )
            values.index_add_(0, index.flatten(), block.flatten())
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):  # pyright: ignore[reportIncompatibleMethodOverride]
        voxels, peaks, falloffs = ctx.saved_tensors
        results = [torch.zeros_like(one) for one in (voxels, peaks, falloffs)]
        wanted = [place for place in range(3) if ctx.needs_input_grad[place]]
        for chunk in _chunks(voxels, falloffs, ctx.grid, ctx.tail):
            near = chunk.atoms
            leaves = [
                one[near].requires_grad_(place in wanted) for place, one in enumerate((voxels, peaks, falloffs))
            ]
            with torch.enable_grad():
                block, index = _block(leaves[0], leaves[1], leaves[2], chunk, ctx.grid, _start(ctx, near, voxels))
            pull = gradients[0][index.flatten()].reshape(block.shape)
            found = torch.autograd.grad(block, [leaves[place] for place in wanted], pull)
            for place, one in zip(wanted, found, strict=True):
                results[place][near] = one
        return (*(one if place in wanted else None for place, one in enumerate(results)), None, None, None)


def _start(ctx, near: Tensor, voxels: Tensor) -> Int[Tensor, "chunk"]:
    """First voxel of each atom's conformation."""
    return near // max(len(voxels) // max(ctx.conformations, 1), 1) * ctx.grid.count


def _chunks(voxels: Tensor, falloffs: Tensor, grid: Grid, tail: float) -> Iterator[_Chunk]:
    """The atoms that reach the grid, by growing radius, so that each chunk has a box of its own size."""
    spacing = grid.inverse_axes.norm(dim=0).to(voxels)
    radius = (math.log(1 / tail) / falloffs.detach().amin(-1)).sqrt()
    reach = (radius[:, None] * spacing).ceil()
    nearest = voxels.detach().round()
    size = voxels.new_tensor(grid.shape)
    reaches = ((nearest + reach >= 0) & (nearest - reach <= size - 1)).all(-1)
    order = torch.argsort(radius, stable=True)
    order = order[reaches[order]]
    if not len(order):
        return
    nearest = nearest.long()
    boxes = (2 * reach[order].amax(-1).long() + 1).pow(3).tolist()
    first = 0
    while first < len(order):
        last = first + 1
        while last < len(order) and (last + 1 - first) * boxes[last] <= CHUNK and boxes[last] <= 2 * boxes[first]:
            last += 1
        atoms = order[first:last]
        widest = reach[atoms].amax(0).long().tolist()
        offsets = [torch.arange(-k, k + 1, device=voxels.device) for k in widest]
        yield _Chunk(atoms, (offsets[0], offsets[1], offsets[2]), nearest[atoms])
        first = last


def _block(
    voxels: Float[Tensor, "chunk 3"],
    peaks: Float[Tensor, "chunk gaussians"],
    falloffs: Float[Tensor, "chunk gaussians"],
    chunk: _Chunk,
    grid: Grid,
    start: Int[Tensor, "chunk"],
) -> tuple[Float[Tensor, "chunk nx ny nz"], Int[Tensor, "chunk nx ny nz"]]:
    """What each atom adds to the voxels around it, and where these are; voxels off the grid get nothing."""
    apart, places, inside = [], [], []
    for axis, offsets in enumerate(chunk.offsets):
        at = chunk.nearest[:, axis, None] + offsets
        on_grid = (at >= 0) & (at < grid.shape[axis])
        apart.append(at - voxels[:, axis, None])
        places.append(torch.where(on_grid, at, 0))
        inside.append(on_grid.to(voxels.dtype))
    i, j, k = places
    rows = start[:, None, None, None] + (i * grid.shape[1])[:, :, None, None] * grid.shape[2]
    index = rows + (j * grid.shape[2])[:, None, :, None] + k[:, None, None, :]
    gaussians = _separable if grid.is_orthogonal else _oblique
    return gaussians(apart, inside, peaks, falloffs, grid), index


def _separable(
    apart: list[Tensor], inside: list[Tensor], peaks: Tensor, falloffs: Tensor, grid: Grid
) -> Float[Tensor, "chunk nx ny nz"]:
    """On square axes a Gaussian is a product of three."""
    steps = grid.axes.diagonal().tolist()
    x, y, z = (
        torch.exp(-falloffs[:, :, None] * (step * one).square()[:, None, :]) * mask[:, None, :]
        for one, mask, step in zip(apart, inside, steps, strict=True)
    )
    plane = (peaks[:, :, None] * x)[:, :, :, None] * y[:, :, None, :]
    chunk, gaussians, nx, ny = plane.shape
    return (plane.reshape(chunk, gaussians, nx * ny).mT @ z).reshape(chunk, nx, ny, -1)


def _oblique(
    apart: list[Tensor], inside: list[Tensor], peaks: Tensor, falloffs: Tensor, grid: Grid
) -> Float[Tensor, "chunk nx ny nz"]:
    """In general the metric mixes the axes: r² = d G d, with d in voxels."""
    metric = (grid.axes @ grid.axes.T).tolist()
    d = [apart[0][:, :, None, None], apart[1][:, None, :, None], apart[2][:, None, None, :]]
    squared = sum(metric[i][j] * d[i] * d[j] for i in range(3) for j in range(3))
    assert isinstance(squared, Tensor)
    mask = inside[0][:, :, None, None] * inside[1][:, None, :, None] * inside[2][:, None, None, :]
    values = sum(
        peak[:, None, None, None] * torch.exp(-fall[:, None, None, None] * squared)
        for peak, fall in zip(peaks.unbind(-1), falloffs.unbind(-1), strict=True)
    )
    return values * mask
