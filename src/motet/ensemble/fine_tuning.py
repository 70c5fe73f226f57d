"""The flow network, taught by trajectories of a user, until frames that it does not learn from get no better."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigError, NoProteinError
from ..fold.flow import FlowNetwork
from ..fold.flow_examples import FlowBatch, FlowExample, batch_of
from ..fold.flow_inputs import FlowInputs
from ..fold.flow_learner import FlowLearner, Pace, seeded
from ..fold.flow_weights import FlowModel
from ..geometry import rmsd, superposed_to_mean
from ..io import Trajectory, read, stream_trajectory
from .flow_frames import inputs_of
from .production import Rounds
from .sampling_quality import effective_draws

FEWEST = 20  # frames; with less there is nothing to hold out
ENOUGH = 100  # independent frames; with less a network may learn them by heart
BLOCKS, ONE_IN = 20, 5  # pieces of a trajectory, and how many of them are held out
JUDGED, JUDGED_AT = 24, (0.1, 0.2, 0.4)  # held-out frames, and levels
FROM_ANOTHER = 0.5  # share of the crops that are shown another frame of the trajectory


@dataclass(frozen=True, eq=False)
class Motion:
    """A trajectory as the network learns from it.

    Args:
        name: Of the trajectory.
        inputs: Its protein residues that have N, Cα and C.
        frames: Those atoms, in Å.
    """

    name: str
    inputs: FlowInputs
    frames: Float[Tensor, "frames residues 3 3"]

    @cached_property
    def held_out(self) -> Bool[Tensor, "frames"]:
        """Every fifth of twenty pieces: whole pieces, since frames resemble the ones before and after them."""
        piece = torch.arange(len(self.frames)) * BLOCKS // len(self.frames)
        return piece % ONE_IN == ONE_IN // 2

    @cached_property
    def independent_frames(self) -> float:
        """How many independent frames these are worth, by the autocorrelation of the RMSD to their mean."""
        laid, mean = superposed_to_mean(self.frames[:, :, 1].double())
        return effective_draws(rmsd(laid, mean, fit=False)[None])


def worth(motions: Sequence[Motion]) -> tuple[str, bool]:
    """What trajectories are worth to learn from, in words, and whether that is enough."""
    frames = sum(one.independent_frames for one in motions)
    words = f"The trajectories are worth about {frames:.0f} independent frames"
    if frames >= ENOUGH:
        return f"{words}.", True
    return f"{words}; that is little (below {ENOUGH}): the network may learn them by heart.", False


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """How to learn.

    Args:
        steps: At most.
        every: Steps between two looks at the held-out frames.
        patience: Looks without improvement after which to stop.
        batch: Crops a step.
        crop: Residues of a crop.
        rate: Highest rate of learning.
        seed: Seed of all draws.
    """

    steps: int = 2000
    every: int = 50
    patience: int = 6
    batch: int = 8
    crop: int = 128
    rate: float = 2e-4
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.every, self.patience, self.batch) < 1 or self.crop < 8 or self.rate <= 0:
            raise ConfigError(
                "fine-tuning needs steps, every, patience and batch of at least 1, crop >= 8 and rate > 0."
            )


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What came of it.

    Args:
        model: The network at its best.
        course: Step, loss in learning (NaN at first) and loss on held-out frames, look by look.
    """

    model: FlowModel
    course: Float[Tensor, "looks 3"]

    @property
    def best(self) -> int:
        """The look with the least loss on held-out frames."""
        return int(self.course[:, 2].argmin())


def read_motion(trajectory: Trajectory, stride: int = 1) -> Motion:
    """The backbone of a trajectory's protein, frame by frame; the rest is never in memory.

    Raises:
        NoProteinError: There is no residue with N, Cα and C.
    """
    structure = read(trajectory.topology)
    backbone = structure.topology.backbone[:, :3]
    whole = np.all(backbone >= 0, axis=1)
    if not whole.any():
        raise NoProteinError(trajectory.name)
    atoms = torch.from_numpy(backbone[whole])
    if trajectory.frames is None:
        frames = structure.coords.reshape(-1, structure.n_atoms, 3)[::stride, atoms]
    else:
        parts = stream_trajectory(trajectory.frames, structure.topology, stride)
        frames = torch.cat([part[:, atoms] for part in parts])
    return Motion(trajectory.name, inputs_of(structure.topology, whole, frames[0].float()), frames.float())


def fine_tune(
    model: FlowModel,
    motions: Sequence[Motion],
    settings: FineTuning,
    rounds: Rounds,
    progress: Callable[[int, int], None] = lambda done, in_all: None,
) -> FineTuned:
    """Learn from frames at random, each wanted from its own noise or from another frame of its trajectory.

    Raises:
        ConfigError: There are too few frames.
    """
    if (count := sum(len(one.frames) for one in motions)) < FEWEST:
        raise ConfigError(
            f"{count} frames are too few to learn from and to hold some out; give at least {FEWEST}."
        )
    network = FlowNetwork(model.network.config)
    network.load_state_dict(model.network.state_dict())
    course = _Course(model, network, motions, settings)
    if rounds.open():
        course.unpack(rounds.read(0))
    progress(course.learner.step, settings.steps)
    while not course.over:
        course.go_on()
        rounds.write(0, course.pack())
        progress(course.learner.step, settings.steps)
    return course.result()


class _Course:
    """The learner, what it has been judged by so far, and its weights when they were best."""

    def __init__(
        self, model: FlowModel, network: FlowNetwork, motions: Sequence[Motion], settings: FineTuning
    ) -> None:
        self.model, self.motions, self.settings = model, motions, settings
        pace = Pace(rate=settings.rate, warm=min(50, settings.every), turnover=500, memory=0.99)
        self.learner = FlowLearner(network.to(next(model.network.parameters()).device), model.path, pace)
        self.judged = _held_out(motions, model, settings)
        self.looks = [(0.0, float("nan"), self._judge())]
        self.best = {name: value.clone() for name, value in self.learner.average.items()}

    @property
    def over(self) -> bool:
        """Whether all steps are made, or the last looks were in vain."""
        found = [loss for _, _, loss in self.looks]
        since = len(found) - 1 - found.index(min(found))
        return self.learner.step >= self.settings.steps or since >= self.settings.patience

    def go_on(self) -> None:
        """Learn until the next look, and look."""
        count = min(self.settings.every, self.settings.steps - self.learner.step)
        losses = [self.learner.learn(self._batch(draws), draws)["loss"] for draws in self._draws(count)]
        found = self._judge()
        if found < min(loss for _, _, loss in self.looks):
            self.best = {name: value.clone() for name, value in self.learner.average.items()}
        self.looks.append((float(self.learner.step), sum(losses) / count, found))

    def result(self) -> FineTuned:
        """The network at its best."""
        network = self.learner.averaged()
        network.load_state_dict(self.best, strict=False)
        course = torch.tensor(self.looks, dtype=torch.float64)
        tuned = {"tuned_steps": str(int(course[course[:, 2].argmin(), 0]))}
        tuned["tuned_on"] = ", ".join(one.name for one in self.motions)
        return FineTuned(FlowModel(network, self.model.path, self.model.origin | tuned), course)

    def pack(self) -> dict[str, Tensor]:
        best = {f"best.{name}": value for name, value in self.best.items()}
        return self.learner.pack() | best | {"looks": torch.tensor(self.looks, dtype=torch.float64)}

    def unpack(self, tensors: dict[str, Tensor]) -> None:
        self.learner.unpack(tensors)
        self.best = {name: tensors[f"best.{name}"].to(value.device) for name, value in self.best.items()}
        self.looks = [(step, learnt, held) for step, learnt, held in tensors["looks"].tolist()]

    def _draws(self, count: int) -> Iterator[torch.Generator]:
        first = self.learner.step
        return (seeded(self.settings.seed + 1, step) for step in range(first, first + count))

    def _batch(self, draws: torch.Generator) -> FlowBatch:
        examples = [drawn_example(self.motions, draws) for _ in range(self.settings.batch)]
        return batch_of(examples, self.model.path, self.settings.crop, draws)

    def _judge(self) -> float:
        found = self.learner.judged(self.judged)
        return found if math.isfinite(found) else math.inf  # a rate too high ends as a look in vain


def drawn_example(motions: Sequence[Motion], draws: torch.Generator) -> FlowExample:
    """One frame to learn from; long trajectories come more often."""
    sizes = torch.tensor([float(len(one.frames)) for one in motions])
    chosen = motions[int(torch.multinomial(sizes, 1, generator=draws))]
    learnt = (~chosen.held_out).nonzero().flatten()
    wanted, given = chosen.frames[learnt[torch.randint(len(learnt), (2,), generator=draws)]]
    other = given if torch.rand((), generator=draws) < FROM_ANOTHER else None
    return FlowExample(chosen.inputs, wanted, other)


def _held_out(motions: Sequence[Motion], model: FlowModel, settings: FineTuning) -> list[FlowBatch]:
    """Held-out frames, spread evenly, with noise that stays the same: one batch a level."""
    every = [FlowExample(one.inputs, frame) for one in motions for frame in one.frames[one.held_out]]
    few = [every[i] for i in torch.linspace(0, len(every) - 1, min(JUDGED, len(every))).round().int().tolist()]
    batches = []
    for number, level in enumerate(JUDGED_AT):
        draws = seeded(settings.seed + 1, -1 - number)
        batches.append(batch_of(few, model.path, settings.crop, draws, torch.full((len(few),), level)))
    return batches
