"""Where a rigid body belongs in a map: all orientations and places at once, then the best of them to the point."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..geometry import Rigid
from ..geometry.rotations import even_rotations, rotation_of
from .correlation import correlation
from .fourier import blurred, frequencies, resampled
from .grid import Grid
from .map import DensityMap, trilinear
from .masks import model_mask
from .render import render
from .scattering import Scatterers

Progress = Callable[[int, int], None]
SEARCH_RESOLUTION = 8.0  # Å: a turn of 10° of a domain of 25 Å still overlaps
VOXELS_PER_RESOLUTION = 3.0
ROTATIONS = 4000  # about 10° to the nearest
POLISHED = 48  # placements moved to the point
BATCH = 32  # rotations transformed together
SHELL_PROBE, DOCKING_B = 2.0, 50.0  # Å beyond an atom that counts in a score; B in Å² of bodies to dock


@dataclass(frozen=True, eq=False)
class Placements:
    """Places of a rigid body, best first.

    Args:
        motions: From where the body was given to where it fits.
        scores: Correlation with the map around the body there.
    """

    motions: Rigid
    scores: Float[Tensor, "placements"]

    def __len__(self) -> int:
        return len(self.scores)


@torch.no_grad()
def dock(
    density: DensityMap,
    coords: Float[Tensor, "atoms 3"],
    scatterers: Scatterers,
    *,
    resolution: float,
    rotations: int = ROTATIONS,
    keep: int = 10,
    progress: Progress | None = None,
) -> Placements:
    """The best places of a rigid body in a map, each once.

    Every orientation of an even set is tried at every voxel by Fourier transform, at 8 Å; the best are then moved
    to the point in batches, at 8 and 5 Å (or the map's resolution), and scored by correlation around the body.

    Args:
        density: The map; density that is spoken for is best set to zero.
        coords: The body, in Å.
        scatterers: Its atoms.
        resolution: Of the map, in Å.
        rotations: How many orientations to try.
        keep: How many places to return at most.
        progress: Called with the orientations done, and all of them.

    Raises:
        ConfigError: There are no atoms.
    """
    if not coords.shape[0]:
        raise ConfigError("there are no atoms to dock; select a part of the model that has some.")
    coarse = at_resolution(density, max(SEARCH_RESOLUTION, resolution))
    centre = coords.mean(0)
    body = coords - centre
    motions = _searched(coarse, body, scatterers, rotations, progress)
    for step, finest in ((0.8, SEARCH_RESOLUTION), (0.3, 5.0)):
        target = at_resolution(density, max(finest, resolution))
        motions = _descended(target, body, scatterers.amplitudes.sum(-1), motions, step)
    return _ranked(density, body, centre, scatterers, motions, max(5.0, resolution), keep)


def at_resolution(density: DensityMap, resolution: float) -> DensityMap:
    """The map blurred to a resolution, on voxels as large as that allows."""
    soft = density.with_density(blurred(density.density, density.grid, resolution**2))
    voxel = resolution / VOXELS_PER_RESOLUTION
    return resampled(soft, voxel) if voxel > 1.1 * float(soft.grid.voxel.max()) else soft


def _searched(
    target: DensityMap, body: Tensor, scatterers: Scatterers, count: int, progress: Progress | None
) -> Rigid:
    """The best place of each of the best orientations."""
    turns = even_rotations(count, body.dtype).to(body.device)
    room = float(body.norm(dim=-1).max())
    pad = [int(n) + 2 * int(k) for n, k in zip(target.grid.shape, _voxels(target.grid, room), strict=True)]
    wide = Grid((pad[0], pad[1], pad[2]), target.grid.axes, torch.zeros(3))
    waves = torch.fft.rfftn(target.density, s=wide.shape)
    form = torch.exp(-0.25 * (SEARCH_RESOLUTION**2 + DOCKING_B) * frequencies(wide, body).square())
    weights = scatterers.amplitudes.sum(-1).to(body)
    middle = wide.to_coords(torch.tensor(wide.shape).double() // 2).to(body)
    scores, places = [], []
    for number, chunk in enumerate(turns.split(BATCH)):
        splats = _splatted(body @ chunk.mT + middle, weights, wide)
        product = waves * torch.fft.rfftn(splats, dim=(-3, -2, -1)).conj() * form
        overlap = torch.fft.irfftn(product, s=wide.shape, dim=(-3, -2, -1)).flatten(1)
        best = overlap.max(-1)
        scores.append(best.values)
        places.append(best.indices)
        if progress:
            progress(min((number + 1) * BATCH, count), count)
    order = torch.cat(scores).argsort(descending=True, stable=True)[:POLISHED]
    found = torch.stack(torch.unravel_index(torch.cat(places)[order], wide.shape), dim=-1).cpu()
    size, inner = torch.tensor(wide.shape), torch.tensor(target.grid.shape)
    centre = (found + size // 2) % size
    centre = torch.where(centre > (inner + size) // 2, centre - size, centre)
    shift = target.grid.to_coords(centre.double()).to(body)
    return Rigid(turns[order], shift)


def _voxels(grid: Grid, length: float) -> list[int]:
    return (length * grid.inverse_axes.norm(dim=0)).ceil().long().tolist()


def _splatted(
    points: Float[Tensor, "batch atoms 3"], weights: Float[Tensor, "atoms"], grid: Grid
) -> Float[Tensor, "batch x y z"]:
    """Each atom's weight shared between its eight voxels; the box repeats."""
    voxels = grid.to_voxels(points)
    low = voxels.floor()
    part, low = voxels - low, low.long()
    size = torch.tensor(grid.shape, device=points.device)
    values = points.new_zeros(len(points) * grid.count)
    start = (torch.arange(len(points), device=points.device) * grid.count)[:, None]
    for corner in torch.cartesian_prod(*[torch.arange(2, device=points.device)] * 3):
        i, j, k = ((low + corner) % size).unbind(-1)
        share = torch.where(corner.bool(), part, 1 - part).prod(-1) * weights
        values.index_add_(0, (start + (i * grid.shape[1] + j) * grid.shape[2] + k).flatten(), share.flatten())
    return values.reshape(len(points), *grid.shape)


def _descended(target: DensityMap, body: Tensor, weights: Tensor, motions: Rigid, step: float) -> Rigid:
    """Each placement moved uphill in density by small turns and shifts, in lengths that shrink from `step` Å."""
    turn, shift = motions.rotation.clone(), motions.translation.clone()
    lever = body.square().sum(-1).mean().sqrt().clamp_min(1.0)
    length = shift.new_full((len(shift), 1), step)
    best, gradient = _climb(target, body, weights, turn, shift, lever)
    for _ in range(60):
        scaled = gradient / gradient.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(body.dtype).tiny)
        move = length * scaled
        quaternion = torch.cat((torch.ones_like(length), 0.5 * move[:, 3:] / lever), dim=-1)
        new_turn, new_shift = rotation_of(quaternion) @ turn, shift + move[:, :3]
        score, slope = _climb(target, body, weights, new_turn, new_shift, lever)
        better = (score > best)[:, None]
        turn, shift = torch.where(better[..., None], new_turn, turn), torch.where(better, new_shift, shift)
        best, gradient = torch.where(better[:, 0], score, best), torch.where(better, slope, gradient)
        length = torch.where(better, length * 1.2, length * 0.5)
    return Rigid(turn, shift)


def _climb(
    target: DensityMap, body: Tensor, weights: Tensor, turn: Tensor, shift: Tensor, lever: Tensor
) -> tuple[Float[Tensor, "placements"], Float[Tensor, "placements 6"]]:
    """Density at the atoms, and its slope by shift and by turn (times the lever, so that both are per Å)."""
    arms = body @ turn.mT
    with torch.enable_grad():
        at = (arms + shift[:, None]).detach().requires_grad_()
        scores = (trilinear(target.density, target.grid.to_voxels(at)) * weights.to(at)).sum(-1)
        (force,) = torch.autograd.grad(scores.sum(), at)
    torque = torch.linalg.cross(arms, force).sum(-2) / lever
    return scores.detach(), torch.cat((force.sum(-2), torque), dim=-1)


def _ranked(
    density: DensityMap,
    body: Tensor,
    centre: Tensor,
    scatterers: Scatterers,
    motions: Rigid,
    resolution: float,
    keep: int,
) -> Placements:
    """Scores around the body, best first, without those that are nearly a better one."""
    target = at_resolution(density, resolution)
    kept: list[int] = []
    placed = motions.apply(body)
    scores = body.new_tensor([score_placement(target, one, scatterers, resolution) for one in placed])
    for index in scores.argsort(descending=True, stable=True).tolist():
        apart = (placed[kept] - placed[index]).square().sum(-1).mean(-1).sqrt()
        if not kept or float(apart.min()) > 3.0:
            kept.append(index)
    chosen = torch.tensor(kept[:keep], device=body.device)
    turn = motions.rotation[chosen]
    shift = motions.translation[chosen] - (turn @ centre)
    return Placements(Rigid(turn, shift), scores[chosen])


def score_placement(
    target: DensityMap, coords: Float[Tensor, "atoms 3"], scatterers: Scatterers, resolution: float
) -> float:
    """Correlation of a body with a map blurred to a resolution, over the voxels around the body."""
    factors = coords.new_full((len(coords),), DOCKING_B)
    model = render(
        coords, scatterers, factors, torch.ones_like(factors), target.grid, blur=resolution**2, tail=1e-2
    )
    mask = model_mask(coords, torch.full_like(factors, SHELL_PROBE), target.grid, probe=1.0, shrinkage=0.0)
    return float(correlation(model, target.density.to(coords), mask)) if bool(mask.any()) else 0.0


def without(density: DensityMap, coords: Float[Tensor, "atoms 3"], radius: float = 3.0) -> DensityMap:
    """The map with the density around atoms, which is spoken for, set to zero."""
    taken = model_mask(coords, coords.new_full((len(coords),), radius), density.grid, probe=0.0, shrinkage=0.0)
    return replace(density, density=torch.where(taken, 0.0, density.density))
