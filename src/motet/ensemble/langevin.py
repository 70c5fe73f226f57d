"""Langevin dynamics: draws from Boltzmann's law by Newton's, with friction and noise."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..shapes import Coords
from ..units import ACCELERATION, BOLTZMANN
from .ensemble import Weighting
from .movable import Movable

FS_PER_PS = 1000.0
TIMED_STEPS = 5


@dataclass(frozen=True, eq=False)
class Walkers:
    """Replicas in motion: coordinates in Å, velocities in Å/fs, steps taken, and each one's source of noise."""

    coords: Float[Tensor, "replicas atoms 3"]
    velocities: Float[Tensor, "replicas atoms 3"]
    step: int
    noise: tuple[torch.Generator, ...]


@dataclass(frozen=True, kw_only=True)
class Langevin:
    """BAOAB Langevin dynamics, many replicas in one batch.

    Source: Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34.

    Atoms that the force field only sees as obstacles stand still.

    Args:
        temperature: In K.
        replicas: Independent chains.
        timestep: In fs.
        friction: Collision rate, in 1/ps.
        burn_in: Steps before the first conformation is kept.
        interval: Steps between kept conformations of a replica.
    """

    temperature: float = 300.0
    replicas: int = 10
    timestep: float = 2.0
    friction: float = 2.0
    burn_in: int = 1000
    interval: int = 500
    name: str = "langevin"
    weighting: Weighting = "sampled"

    def __post_init__(self) -> None:
        if min(self.temperature, self.timestep, self.friction) <= 0:
            raise ConfigError("Langevin needs temperature, timestep and friction above zero.")
        if self.replicas < 1 or self.interval < 1 or self.burn_in < 0:
            raise ConfigError("Langevin needs replicas >= 1, interval >= 1 and burn_in >= 0.")

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """Time step, friction, burn-in and the rest, by name."""
        named = asdict(self)
        return {key: named[key] for key in ("replicas", "timestep", "friction", "burn_in", "interval")}

    def start(self, system: Movable, coords: Float[Tensor, "atoms 3"], seed: int) -> Walkers:
        """All replicas at `coords`, with velocities of their own drawn at the temperature."""
        noise = tuple(torch.Generator(coords.device).manual_seed(seed + i) for i in range(self.replicas))
        at = coords.expand(self.replicas, *coords.shape).clone()
        return Walkers(at, _normal(noise, at) * self._thermal(system, at), 0, noise)

    def draw(self, system: Movable, state: Walkers) -> tuple[Walkers, Coords]:
        """Run one interval, preceded by the burn-in in the first round."""
        steps = self.interval if state.step else self.burn_in + self.interval
        state = self.advance(system, state, steps)
        return state, state.coords

    def advance(self, system: Movable, state: Walkers, steps: int) -> Walkers:
        """Run the dynamics for a number of steps."""
        half = 0.5 * self.timestep
        kept = math.exp(-self.friction / FS_PER_PS * self.timestep)
        coords, velocities = state.coords, state.velocities
        jolt = math.sqrt(1 - kept**2) * self._thermal(system, coords)
        kick = half * ACCELERATION * (system.mobile / system.masses)[:, None].to(coords)
        # Pairs are listed anew at the start of a round, so that a resumed run sums in the same order.
        system.forget()
        force = _force(system, coords)
        for _ in range(steps):
            velocities = velocities + kick * force
            coords = coords + half * velocities
            velocities = kept * velocities + jolt * _normal(state.noise, velocities)
            coords = coords + half * velocities
            force = _force(system, coords)
            velocities = velocities + kick * force
        if not coords.isfinite().all():
            raise ConfigError(
                f"Langevin dynamics left all bounds within {state.step + steps} steps of {self.timestep} fs; "
                "minimise the structure first, or take a shorter time step."
            )
        return Walkers(coords, velocities, state.step + steps, state.noise)

    def step(self, state: Walkers) -> int:
        """Steps each replica has taken."""
        return state.step

    def evaluations(self, rounds: int, begun: bool) -> int:
        """One a step."""
        return rounds * self.interval + (0 if begun else self.burn_in)

    def report(self, state: Walkers) -> Mapping[str, float]:
        """Nothing: every step is taken."""
        return {}

    def pack(self, state: Walkers) -> dict[str, Tensor]:
        """The walkers as named tensors."""
        return {
            "coords": state.coords.contiguous(),
            "velocities": state.velocities.contiguous(),
            "step": torch.tensor(state.step),
            "noise": torch.stack([generator.get_state() for generator in state.noise]),
        }

    def unpack(self, tensors: Mapping[str, Tensor]) -> Walkers:
        """The walkers that `pack` wrote."""
        coords = tensors["coords"]
        noise = tuple(torch.Generator(coords.device) for _ in range(self.replicas))
        for generator, kept in zip(noise, tensors["noise"], strict=True):
            generator.set_state(kept.cpu().clone())  # torch crashes on a view
        return Walkers(coords, tensors["velocities"], int(tensors["step"]), noise)

    def _thermal(self, system: Movable, like: Coords) -> Float[Tensor, "atoms 1"]:
        """Standard deviation of each atom's velocity, in Å/fs; zero for atoms that stand still."""
        variance = BOLTZMANN * self.temperature * ACCELERATION / system.masses
        return (variance.sqrt() * system.mobile)[:, None].to(like)


def seconds_per_step(system: Movable, coords: Float[Tensor, "atoms 3"], replicas: int) -> float:
    """What one step of a batch costs here, measured on a few, in seconds."""
    at = coords.expand(replicas, *coords.shape)
    _force(system, at)
    began = time.perf_counter()
    for _ in range(TIMED_STEPS):
        _force(system, at)
    if coords.is_cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / TIMED_STEPS


def _normal(noise: tuple[torch.Generator, ...], like: Coords) -> Coords:
    """Standard normal numbers, each replica's from its own source."""
    shape, device, dtype = like.shape[1:], like.device, like.dtype
    return torch.stack([torch.randn(shape, generator=one, device=device, dtype=dtype) for one in noise])


def _force(system: Movable, coords: Coords) -> Coords:
    """Minus the gradient, in kcal/mol/Å."""
    with torch.enable_grad():
        at = coords.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(system(at).sum(), at)
    return -gradient
