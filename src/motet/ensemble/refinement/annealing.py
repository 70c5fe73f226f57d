"""One stage of a refinement: a force field and a map at one resolution, minimised, heated, cooled, minimised."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ...density import DensityMap, MapCorrelation, ModelDensity, balance, blurred, resampled
from ...shapes import Energy
from ..langevin import Langevin
from ..minimise import minimise
from ..movable import Movable
from .guided import Guided

Progress = Callable[[int, int, float, float], None]  # steps done, in all, force field in kcal/mol, CC
MARGIN = 8.0  # Å of map around the model that counts
VOXELS_PER_RESOLUTION = 3.2
TAIL = 1e-3  # where atoms are cut off while they move
COOLING = (1.0, 0.6, 0.3)  # of the temperature
PULLED_AT = 300.0  # K: where the force field's own pull is measured
PULL_STEPS = 100
SPAN = 25  # steps of dynamics between two reports


@dataclass(frozen=True)
class Stage:
    """Settings of one stage.

    Args:
        resolution: What the map is blurred to, in Å.
        temperature: Highest temperature, in K; 0 for no dynamics.
        dynamics: Steps of dynamics.
        minimising: Steps of minimisation before the dynamics, and after them.
    """

    resolution: float
    temperature: float
    dynamics: int
    minimising: int

    @property
    def steps(self) -> int:
        """Steps in all."""
        return 2 * self.minimising + (self.dynamics if self.temperature > 0 else 0)


def target_at(
    density: DensityMap, coords: Float[Tensor, "atoms 3"], model: ModelDensity, resolution: float, finest: float
) -> MapCorrelation:
    """1 - CC near the model, with map and model equally blurred from the map's own resolution to a coarser one."""
    near = density.cropped(coords, MARGIN)
    blur = max(4 * (resolution**2 - finest**2), 0.0)
    if blur > 0:
        near = near.with_density(blurred(near.density, near.grid, blur))
    voxel = resolution / VOXELS_PER_RESOLUTION
    if voxel > 1.15 * float(near.grid.voxel.max()):
        near = resampled(near, voxel)
    near = near.to(coords.dtype)
    shown = ModelDensity(model.scatterers, model.b_factors, model.occupancies, near.grid, blur=blur, tail=TAIL)
    return MapCorrelation(near, shown)


def weight_for(
    physics: Movable, target: Energy, coords: Float[Tensor, "atoms 3"], ratio: float, seed: int
) -> float:
    """Weight at which the map pulls with a share of the force that the force field has at room temperature."""
    warm = Langevin(temperature=PULLED_AT, replicas=1, timestep=1.0, friction=20.0)
    state = warm.advance(physics, warm.start(physics, coords, seed), PULL_STEPS)
    at = state.coords[0]
    own = balance(physics, target, at, physics.mobile)
    return ratio * float(own)


def run_stage(
    stage: Stage, guided: Guided, coords: Float[Tensor, "atoms 3"], seed: int, progress: Progress
) -> Float[Tensor, "atoms 3"]:
    """Minimise, anneal, minimise."""
    guided.forget()

    def told(done: int) -> None:
        progress(done, stage.steps, guided.latest[0], 1 - guided.latest[1])

    def minimised(coords: Tensor, before: int) -> Tensor:
        found = minimise(
            guided,
            coords,
            mobile=guided.mobile,
            max_steps=stage.minimising,
            progress=lambda step, _: told(before + step),
        )
        return found.coords

    coords = minimised(coords, 0)
    done = stage.minimising
    if stage.temperature > 0 and stage.dynamics:
        for share in COOLING:
            walk = Langevin(temperature=stage.temperature * share, replicas=1, friction=10.0)
            state = walk.start(guided, coords, seed)
            left = stage.dynamics // len(COOLING)
            while left > 0:
                state = walk.advance(guided, state, min(SPAN, left))
                left -= SPAN
                told(done + stage.dynamics // len(COOLING) - max(left, 0))
            done += stage.dynamics // len(COOLING)
            coords = state.coords[0]
    return minimised(coords, stage.steps - stage.minimising)


def strain_relieved(physics: Movable, coords: Float[Tensor, "atoms 3"], steps: int) -> Float[Tensor, "atoms 3"]:
    """Bonds and clashes mended by the force field alone, in short steps."""
    physics.forget()
    with torch.no_grad():
        return minimise(physics, coords, mobile=physics.mobile, max_steps=steps, longest_step=0.15).coords
