"""From a structure to its ensemble: minimise, draw, relax, round by round, resumable between rounds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..errors import ConfigError
from ..structure import Structure
from .ensemble import Ensemble, Provenance
from .generator import Generator
from .minimise import minimise
from .movable import Movable
from .relax import relax


@runtime_checkable
class Rounds(Protocol):
    """Where finished rounds are kept; `checkpoint.Checkpoint` keeps them on disk, `Memory` does not."""

    def open(self) -> int:
        """Number of rounds that are there already."""
        ...

    def write(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep one round."""
        ...

    def read(self, index: int) -> dict[str, Tensor]:
        """One finished round."""
        ...


class Memory:
    """Rounds kept in memory: a run that cannot be resumed."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Tensor]] = []

    def open(self) -> int:
        """Number of rounds so far."""
        return len(self._parts)

    def write(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep one round, in place of what was there from it on."""
        assert index <= len(self._parts)
        self._parts[index:] = [dict(tensors)]

    def read(self, index: int) -> dict[str, Tensor]:
        """One finished round."""
        return self._parts[index]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many conformations, and how the start and the draws are relaxed.

    Args:
        count: Conformations to make; rounded up to whole rounds while running, cut to `count` at the end.
        seed: Replica i draws from seed + i.
        minimise_steps: Steps of the minimisation before the first draw.
        relax_steps: Steps of the relaxation of each draw; 0 keeps the draws as they are.
    """

    count: int = 100
    seed: int = 0
    minimise_steps: int = 500
    relax_steps: int = 60

    def __post_init__(self) -> None:
        if self.count < 1 or self.minimise_steps < 0 or self.relax_steps < 0:
            raise ConfigError("an ensemble needs count >= 1, minimise_steps >= 0 and relax_steps >= 0.")


def produce(
    structure: Structure,
    system: Movable,
    generator: Generator[Any],
    plan: Plan,
    rounds: Rounds | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ensemble:
    """The ensemble of one structure.

    Args:
        structure: The start, one model.
        system: Its energy.
        generator: What draws.
        plan: How many, from which seed.
        rounds: Where finished rounds are kept, for a run that can be resumed; in memory, when left out.
        progress: Called with rounds done and rounds in all, the minimisation counted as one.
    """
    rounds = rounds or Memory()
    in_all = -(-plan.count // generator.replicas)
    done = rounds.open()
    report = progress or (lambda done, in_all: None)
    state = _resumed(generator, rounds, done, structure) if done else None
    if done < in_all:
        state = state or _started(structure, system, generator, plan)
        for index in range(done, in_all):
            report(index + 1, in_all + 1)
            state, drawn = generator.draw(system, state)
            kept = relax(system, drawn, plan.relax_steps) if plan.relax_steps else drawn
            with torch.no_grad():
                energies = system.terms(kept)
            step = torch.full((len(kept),), generator.step(state))
            packed = {f"state.{name}": tensor for name, tensor in generator.pack(state).items()}
            rounds.write(index, {"coords": kept, "energies": energies, "at_step": step, **packed})
    report(in_all + 1, in_all + 1)
    parts = [rounds.read(index) for index in range(in_all)]
    return _assembled(structure, system, generator, plan, parts, generator.report(state))


def _started(structure: Structure, system: Movable, generator: Generator[Any], plan: Plan) -> Any:
    system.forget()
    start = minimise(system, structure.coords, mobile=system.mobile, max_steps=plan.minimise_steps)
    return generator.start(system, start.coords, plan.seed)


def _resumed(generator: Generator[Any], rounds: Rounds, done: int, structure: Structure) -> Any:
    last = rounds.read(done - 1)
    device = structure.coords.device
    packed = {name.removeprefix("state."): kept for name, kept in last.items() if name.startswith("state.")}
    return generator.unpack({name: kept.to(device) for name, kept in packed.items()})


def _assembled(
    structure: Structure,
    system: Movable,
    generator: Generator[Any],
    plan: Plan,
    parts: list[dict[str, Tensor]],
    report: Mapping[str, float],
) -> Ensemble:
    """The rounds laid end to end and cut to the number asked for."""
    coords = torch.cat([part["coords"] for part in parts])[: plan.count].cpu()
    count, replicas = len(coords), generator.replicas
    return Ensemble(
        structure.with_coords(coords),
        weights=torch.full((count,), 1.0 / count),
        energy_terms=system.names,
        energies=torch.cat([part["energies"] for part in parts])[: plan.count].float().cpu(),
        replica=torch.arange(replicas).repeat(len(parts))[: plan.count],
        step=torch.cat([part["at_step"] for part in parts])[: plan.count],
        provenance=Provenance(
            generator=generator.name,
            temperature=generator.temperature,
            seed=plan.seed,
            weighting=generator.weighting,
            settings={
                **generator.settings,
                "minimise_steps": plan.minimise_steps,
                "relax_steps": plan.relax_steps,
            },
            report=report,
        ),
    )
