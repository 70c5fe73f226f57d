"""Refinement against a map: place, anneal from 6 Å to full resolution, turn peptides, fit B factors, doubt."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ...density import DensityMap, ModelDensity, correlation, fit_b_factors, fit_overall_b, model_mask
from ...density.masks import van_der_waals_radii
from ...errors import ConfigError
from ...forcefield import ForceField
from ...forcefield.terms import BackboneEntropy
from ...structure import Note, Structure
from ..checkpoint import Checkpoint
from ..movable import Movable
from .annealing import Progress, Stage, run_stage, strain_relieved, target_at, weight_for
from .guided import Guided
from .mending import mended
from .overfitting import (
    OverfittingTest,
    judged_by_halves,
    judged_by_noise,
    noisy_target,
    shell_agreement,
    true_agreement,
)
from .placing import Docking, place

COARSEST = 6.0  # Å: where annealing begins
FINER = 1.6  # at most so much between two stages
RATIO = 0.05  # of the force field's pull at room temperature
BACKBONE = 3.0
ATOMIC = 2.5  # Å: finer maps have a B factor for each atom, others one for each residue
RELIEF = 100  # steps of the force field alone, before anything else
Look = Callable[[str, "Measured"], None]


@dataclass(frozen=True, kw_only=True)
class RefinementPlan:
    """Settings of a refinement.

    Args:
        resolution: Of the map, in Å.
        weight: Of 1 - CC, in kcal/mol; balanced against the force field when left out.
        ratio: The share of the force field's pull that the map has, when the weight is balanced.
        backbone: How many times more than in the force field the statistics of φ and ψ count; a map of medium
            resolution says less of them than it seems to.
        docking: `auto` docks what does not fit where it is, `always` the whole model, `never` nothing.
        temperature: Of the annealing, in K; 0 only minimises.
        dynamics: Steps of dynamics a stage.
        minimising: Steps of minimisation before and after them.
        doubt: Whether to test for overfitting.

    Raises:
        ConfigError: A setting is out of range.
    """

    resolution: float
    weight: float | None = None
    ratio: float = RATIO
    backbone: float = BACKBONE
    docking: Docking = "auto"
    temperature: float = 600.0
    dynamics: int = 300
    minimising: int = 60
    doubt: bool = True

    def __post_init__(self) -> None:
        if not 0.5 <= self.resolution <= 30:
            raise ConfigError(f"a resolution of {self.resolution} Å: give the map's, between 0.5 and 30 Å.")
        if (self.weight is not None and self.weight < 0) or self.ratio <= 0:
            raise ConfigError("refinement needs a weight >= 0 (or none, to balance it) and a ratio > 0.")
        if self.backbone < 0:
            raise ConfigError("refinement needs a weight of the backbone >= 0.")
        if self.temperature < 0 or self.dynamics < 0 or self.minimising < 1:
            raise ConfigError("refinement needs temperature >= 0, dynamics >= 0 and minimising >= 1.")

    @property
    def stages(self) -> tuple[Stage, ...]:
        """From 6 Å to the map's resolution, cooler from stage to stage."""
        coarsest = max(COARSEST, self.resolution)
        count = max(1, math.ceil(math.log(coarsest / self.resolution) / math.log(FINER) - 1e-9))
        levels = [coarsest * (self.resolution / coarsest) ** (i / count) for i in range(count + 1)]
        return tuple(
            Stage(level, self.temperature * (1 - 0.5 * i / count), self.dynamics, self.minimising)
            for i, level in enumerate(levels)
        )


@dataclass(frozen=True)
class Measured:
    """A model against its map.

    Args:
        cc_mask: Correlation near the model, at the map's resolution.
        cc_box: Correlation over the map.
        energy: Of the force field, in kcal/mol.
        b_factor: Mean B factor, in Å².
        weight: Of 1 - CC, in kcal/mol; 0 where the map did not pull.
    """

    cc_mask: float
    cc_box: float
    energy: float
    b_factor: float
    weight: float = 0.0


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined model.

    Args:
        structure: With its B factors.
        history: What was measured after each step, by its name; the first is the input.
        overfitting: What the test for it found, if it was made.
    """

    structure: Structure
    history: tuple[tuple[str, Measured], ...]
    overfitting: OverfittingTest | None

    @property
    def start(self) -> Measured:
        """The input."""
        return self.history[0][1]

    @property
    def end(self) -> Measured:
        """The refined model."""
        return self.history[-1][1]


class Refinement:
    """One refinement, step by step; every step depends on nothing but the step before, so that it can be resumed.

    Args:
        structure: One conformation, prepared for the force field.
        system: The force field on it.
        density: The map.
        plan: Settings.
        half_maps: Two half maps on the grid of the map, for the test of overfitting.
        seed: Of the dynamics.
    """

    def __init__(
        self,
        structure: Structure,
        system: Movable,
        density: DensityMap,
        plan: RefinementPlan,
        half_maps: tuple[DensityMap, DensityMap] | None = None,
        seed: int = 0,
    ) -> None:
        self.structure, self.system, self.density, self.plan = structure, system, density, plan
        self.half_maps, self.seed = half_maps, seed
        field = ForceField([BackboneEntropy()]).to(structure.coords.device)
        self.prior = plan.backbone * field.bind(structure) if plan.backbone else None
        self.radii = van_der_waals_radii(structure.topology)
        self.model = replace(
            ModelDensity.of(structure, density.grid, plan.resolution),
            occupancies=torch.ones(structure.n_atoms, device=structure.coords.device),
        )

    def measure(
        self, coords: Float[Tensor, "atoms 3"], b_factors: Float[Tensor, "atoms"], weight: float = 0.0
    ) -> Measured:
        """Correlations and energy of a model."""
        with torch.no_grad():
            calculated = self.model.with_b_factors(b_factors)(coords)
            mask = model_mask(coords, self.radii, self.density.grid)
            observed = self.density.density.to(coords)
            inside = float(correlation(calculated, observed, mask)) if bool(mask.any()) else 0.0
            box = float(correlation(calculated, observed))
            return Measured(inside, box, float(self.system(coords)), float(b_factors.mean()), weight)

    def b_fitted(self, coords: Float[Tensor, "atoms 3"], overall: bool) -> Float[Tensor, "atoms"]:
        """B factors for these coordinates: one for all, or one for each residue (each atom, in a fine map)."""
        near = self.density.cropped(coords, 8.0)
        model = replace(self.model, grid=near.grid)
        uniform = torch.full_like(model.b_factors, fit_overall_b(near, coords, model))
        if overall:
            return uniform
        topology = self.structure.topology
        if self.plan.resolution <= ATOMIC:
            groups = torch.arange(topology.n_atoms)
            neighbours = torch.tensor(topology.bonds)
        else:
            groups = torch.tensor(topology.residue_of_atom)
            follows = torch.tensor(topology.follows).nonzero().squeeze(-1)
            neighbours = torch.stack((follows - 1, follows), dim=-1)
        where = coords.device
        return fit_b_factors(near, coords, model.with_b_factors(uniform), groups.to(where), neighbours.to(where))

    def run(
        self,
        checkpoint: Checkpoint | None = None,
        progress: Callable[[str], Progress] = lambda _: lambda *_: None,
        look: Look = lambda *_: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> Refined:
        """Do it all, or what is left of it.

        Args:
            checkpoint: Where to keep finished steps.
            progress: Given the name of a step, what to call while it runs.
            look: Called with each finished step.
            say: Told what begins.
        """
        steps = self._steps(progress, say)
        done = checkpoint.open() if checkpoint else 0
        coords, b_factors = self.structure.coords, torch.full_like(self.model.b_factors, 0.0)
        history: list[tuple[str, Measured]] = []
        words: tuple[str, ...] = ()
        for index, (name, step) in enumerate(steps):
            if checkpoint and index < done:
                kept = checkpoint.read(index)
                coords, b_factors = kept["coords"].to(coords), kept["b_factors"].to(coords)
                history.append((name, Measured(*kept["measured"].tolist())))
                words = (*words, *_decoded(kept["words"]))
                continue
            coords, b_factors, weight, told = step(coords, b_factors)
            measured = self.measure(coords, b_factors, weight)
            history.append((name, measured))
            words = (*words, *told)
            if checkpoint:
                values = torch.tensor(list(asdict(measured).values()), dtype=torch.float64)
                checkpoint.write(
                    index, {"coords": coords, "b_factors": b_factors, "measured": values, "words": _encoded(told)}
                )
            look(name, measured)
        notes = tuple(Note("kept", one) for one in words)
        refined = replace(self.structure, coords=coords, b_factors=b_factors.cpu(), b_factor_meaning="B")
        say("testing for overfitting")
        test = self._doubted(coords, b_factors, history[-1][1].weight) if self.plan.doubt else None
        return Refined(refined.with_notes(*notes), tuple(history), test)

    def _steps(self, progress: Callable[[str], Progress], say: Callable[[str], None]) -> list[tuple[str, "_Step"]]:
        """Names of the steps and what each does: coordinates and B factors to coordinates and B factors."""

        def start(coords: Tensor, _: Tensor) -> "_Result":
            return coords, self.b_fitted(coords, overall=True), 0.0, ()

        def placed(coords: Tensor, _: Tensor) -> "_Result":
            found = place(
                self.structure.with_coords(coords), self.density, self.plan.resolution, self.plan.docking, say
            )
            relieved = strain_relieved(self.system, found.coords, RELIEF if not found.moved else 2 * RELIEF)
            return relieved, self.b_fitted(relieved, overall=True), 0.0, found.words

        def annealed(number: int, stage: Stage, name: str) -> "_Step":
            def step(coords: Tensor, b_factors: Tensor) -> "_Result":
                coords, weight = self._stage(stage, coords, b_factors, self.density, number, progress(name))
                return coords, self.b_fitted(coords, overall=True), weight, ()

            return step

        def turned(coords: Tensor, b_factors: Tensor) -> "_Result":
            guided = self._guided(self.plan.resolution, coords, b_factors, self.density)
            coords, words = mended(guided, self.structure.topology, coords, say)
            return coords, self.b_fitted(coords, overall=True), guided.weight, words

        def last(coords: Tensor, b_factors: Tensor) -> "_Result":
            b_factors = self.b_fitted(coords, overall=False)
            coords, weight = self._stage(self._relaxing, coords, b_factors, self.density, 99, progress("relax"))
            return coords, self.b_fitted(coords, overall=False), weight, ()

        names = [f"{stage.resolution:.2f} Å" for stage in self.plan.stages]
        stages = [
            (name, annealed(number, stage, name))
            for number, (stage, name) in enumerate(zip(self.plan.stages, names, strict=True))
        ]
        return [("input", start), ("placed", placed), *stages, ("mended", turned), ("refined", last)]

    @property
    def _relaxing(self) -> Stage:
        return Stage(self.plan.resolution, 0.0, 0, self.plan.minimising)

    def _stage(
        self,
        stage: Stage,
        coords: Tensor,
        b_factors: Tensor,
        density: DensityMap,
        number: int,
        progress: Progress,
        weight: float | None = None,
    ) -> tuple[Float[Tensor, "atoms 3"], float]:
        """One stage against one map, and the weight that it had."""
        guided = self._guided(stage.resolution, coords, b_factors, density, weight)
        return run_stage(stage, guided, coords, self.seed + number, progress), guided.weight

    def _guided(
        self,
        resolution: float,
        coords: Tensor,
        b_factors: Tensor,
        density: DensityMap,
        weight: float | None = None,
    ) -> Guided:
        """Force field and map at a resolution; the weight of the plan or, where there is none, balanced here."""
        model = self.model.with_b_factors(b_factors)
        target = target_at(density, coords, model, resolution, self.plan.resolution)
        weight = weight if weight is not None else self.plan.weight
        if weight is None:
            weight = weight_for(self.system, target, coords, self.plan.ratio, self.seed)
        return Guided(self.system, target, weight, self.prior)

    def _doubted(self, coords: Tensor, b_factors: Tensor, weight: float) -> OverfittingTest:
        """The last stage again, from the refined model, against a half map or against noise."""
        stage = replace(self.plan.stages[-1], temperature=300.0, dynamics=min(90, self.plan.dynamics))
        model = self.model.with_b_factors(b_factors)
        if self.half_maps:
            own, other = self.half_maps
            refitted, _ = self._stage(stage, coords, b_factors, own, 100, lambda *_: None, weight)
            work, free = (
                shell_agreement(half, refitted, self.structure.topology, model, self.plan.resolution)
                for half in (own, other)
            )
            return judged_by_halves(work, free)
        noise = noisy_target(self.density, self.plan.resolution, self.seed)
        refitted, _ = self._stage(stage, coords, b_factors, noise, 100, lambda *_: None, weight)
        return judged_by_noise(
            true_agreement(self.density, coords, model), true_agreement(self.density, refitted, model)
        )


_Result = tuple[Tensor, Tensor, float, tuple[str, ...]]
_Step = Callable[[Tensor, Tensor], _Result]


def _encoded(words: tuple[str, ...]) -> Tensor:
    return torch.tensor(list("\n".join(words).encode()), dtype=torch.uint8)


def _decoded(words: Tensor) -> tuple[str, ...]:
    text = bytes(words.tolist()).decode()
    return tuple(text.split("\n")) if text else ()
