"""The learned generator: disturb a structure, and let the flow network take it back to what proteins look like.

Draws are proposals: their density is not known, so they carry equal weights and no claim of Boltzmann's law.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..fold.flow_inputs import FlowInputs, stacked
from ..fold.flow_weights import FlowModel
from ..forcefield import ForceField
from ..forcefield.packing import Packing, repacked
from ..geometry import Rigid, rotation_of_turn, superpose
from ..shapes import Coords, Energy
from ..structure import Structure
from .dice import Dice
from .ensemble import Weighting
from .flow_frames import CarriedAtoms
from .flow_settling import Settler
from .movable import Movable

PACKING = Packing(reach=5.0, most=6)  # coarse: relaxed draws have the same energies, in a quarter of the time
PAIRS_AT_ONCE = 1 << 18  # of residues, of all conformations that the network sees together: more only takes memory
ATTEMPTS = 6  # further draws of what is not sound
# Level, steps and doubt: chosen on Monte Carlo ensembles of chains that were not learnt from (docs/howto/flow.md).
LEVEL, STEPS, DOUBT = 0.6, 6, 0.5
PUSH = 2.0  # Å, of a guide at each step, at most
PUSHES = 5  # of a guide at each step
SHORTER = (1.0, 0.5, 0.25, 0.125)  # shares of a push that are tried


@dataclass(frozen=True, eq=False)
class Disturbed:
    """The state of a run: every draw begins at the start, so all there is to keep is what comes next.

    Args:
        start: The structure that is disturbed, in Å.
        rounds: Draws made of each replica.
        dice: Source of random numbers of each replica.
        again: Draws that were not sound, and were made again.
        unsound: Draws that were kept although they are not.
    """

    start: Float[Tensor, "atoms 3"]
    rounds: int
    dice: Dice
    again: int = 0
    unsound: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Flow:
    """Draws conformations around a structure: noise up to a level, then the flow back, side chains, and guidance.

    Args:
        structure: The atoms, complete; what is no protein residue stands still.
        model: The network with its path.
        level: How far to disturb, from 0 to 1: local breathing at 0.2, whole parts at 0.6, unfolding at 0.9.
        steps: Steps of the flow back.
        doubt: How far the start's Cα are displaced before their distances are shown to the network, in Å; with
            None the network sees nothing of the start but its disturbed frames.
        profile: Shares of amino acids in an alignment, one row a protein residue.
        guide: An energy whose force on the predicted clean structure pushes it, at each step of the flow but the
            last; the structure gives way as an elastic network does, where that lowers the energy.
        push: How far that moves the residue it moves most, in Å, at most.
        packed: Whether side chains may be put into other rotamers.
        settling: Steps of the relaxation of each draw; 0 keeps it as it is. A draw that cannot be relaxed to sound
            geometry is made again.
        calmer: What is left of the level each time a draw is made again.
        temperature: In K; what the draws are said to be for, since the network knows no temperature.
        replicas: Conformations of one round, drawn in one batch.
    """

    structure: Structure
    model: FlowModel = field(repr=False)
    level: float = LEVEL
    steps: int = STEPS
    doubt: float | None = DOUBT
    profile: Float[Tensor, "residues 20"] | None = field(default=None, repr=False)
    guide: Energy | None = field(default=None, repr=False)
    push: float = PUSH
    packed: bool = True
    settling: int = 160
    calmer: float = 0.7
    temperature: float = 300.0
    replicas: int = 10
    name: str = "flow"
    weighting: Weighting = "given"

    def __post_init__(self) -> None:
        whole = min(self.steps, self.replicas) >= 1 and self.settling >= 0
        if (
            not 0 < self.level < 1
            or not 0 < self.calmer <= 1
            or not whole
            or min(self.temperature, self.push) <= 0
        ):
            raise ConfigError(
                "a flow needs level and calmer between 0 and 1, steps and replicas >= 1, temperature and push > 0."
            )
        if self.doubt is not None and self.doubt < 0:
            raise ConfigError(f"doubt={self.doubt} is a displacement in Å: give 0 or more, or leave it out.")

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """Level, steps, and what the network was told."""
        told: dict[str, float | int | str] = {"level": self.level, "steps": self.steps, "replicas": self.replicas}
        if self.doubt is not None:
            told["doubt"] = self.doubt
        told |= {"profile": int(self.profile is not None), "guided": int(self.guide is not None)}
        return told | {f"network_{name}": value for name, value in self.model.origin.items()}

    def start(self, system: Movable, coords: Float[Tensor, "atoms 3"], seed: int) -> Disturbed:
        """The structure that all draws begin at."""
        dice = Dice.seeded([seed + i for i in range(self.replicas)], coords.device)
        return Disturbed(coords.detach(), 0, dice)

    @torch.no_grad()
    def draw(self, system: Movable, state: Disturbed) -> tuple[Disturbed, Coords]:
        """One conformation of each replica; what is not sound is drawn again."""
        carried = CarriedAtoms.of(self.structure.topology, state.start.float())
        if not self.settling:
            coords = self._drawn(system, state, carried, state.dice.sources, self.level)
            return replace(state, rounds=state.rounds + 1), coords
        settler = Settler(self.structure.with_coords(state.start), system, self.settling)
        level, made = self.level, 0
        coords = state.start.expand(self.replicas, -1, -1)
        sound = torch.zeros(self.replicas, dtype=torch.bool, device=coords.device)
        for _ in range(1 + ATTEMPTS):
            worse = (~sound).nonzero().squeeze(-1)
            if not len(worse):
                break
            made += len(worse)
            sources = [state.dice.sources[i] for i in worse.tolist()]
            better, sound[worse] = settler.settled(self._drawn(system, state, carried, sources, level))
            coords = coords.index_copy(0, worse, better)
            level *= self.calmer
        counts = {"again": state.again + made - self.replicas, "unsound": state.unsound + int((~sound).sum())}
        return replace(state, rounds=state.rounds + 1, **counts), coords

    def _drawn(
        self,
        system: Movable,
        state: Disturbed,
        carried: CarriedAtoms,
        sources: Sequence[torch.Generator],
        level: float,
    ) -> Coords:
        """A conformation from each source of random numbers, with side chains packed where they may be."""
        some = max(1, PAIRS_AT_ONCE // len(carried.inputs.numbers) ** 2)
        flown = [self._flown(carried, sources[i : i + some], level) for i in range(0, len(sources), some)]
        coords = torch.cat([carried.placed(frames) for frames in flown]).to(state.start.dtype)
        mobile = system.mobile.to(coords.device)[:, None]
        coords = torch.where(mobile, coords, state.start)
        if not self.packed:
            return coords
        drawn = self.structure.with_coords(coords)
        field_ = ForceField().to(coords.device)
        return repacked(drawn, force_field=field_, seed=state.rounds, keep_native=True, settings=PACKING).coords

    def step(self, state: Disturbed) -> int:
        """Steps of the flow each replica has made."""
        return state.rounds * self.steps

    def evaluations(self, rounds: int, begun: bool) -> int:
        """A pass of the network costs about as much as a force, packing about as much as forty."""
        each = 1 + 3 * PUSHES if self.guide else 1
        return rounds * (self.steps * each + (40 if self.packed else 0) + self.settling)

    def report(self, state: Disturbed) -> Mapping[str, float]:
        """Shares of the draws that were made again, and that are kept although they are not sound."""
        made = max(state.rounds * self.replicas, 1)
        return {"drawn_again": state.again / made, "unsound": state.unsound / made}

    def pack(self, state: Disturbed) -> dict[str, Tensor]:
        """The state as named tensors."""
        counts = torch.tensor([state.rounds, state.again, state.unsound])
        return {"start": state.start, "counts": counts, "dice": state.dice.pack()}

    def unpack(self, tensors: Mapping[str, Tensor]) -> Disturbed:
        """The state that `pack` wrote."""
        start = tensors["start"]
        rounds, again, unsound = tensors["counts"].tolist()
        return Disturbed(start, rounds, Dice.unpack(tensors["dice"], start.device), again, unsound)

    def _flown(self, carried: CarriedAtoms, sources: Sequence[torch.Generator], level: float) -> Rigid:
        """Frames, disturbed from each source and brought back."""
        centre = carried.frames.translation.mean(0)
        clean = Rigid(carried.frames.rotation, carried.frames.translation - centre)
        inputs, noise = self._disturbance(carried.inputs, clean, sources)
        network, path = self.model.network.to(centre.device), self.model.path
        levels = torch.linspace(level, 0.0, self.steps + 1).tolist()
        at = [centre.new_full((len(sources),), one) for one in levels]
        frames, previous = path.between(clean, noise, at[0]), None
        for number, (here, there) in enumerate(pairwise(at), start=1):
            clean = network(inputs, frames, here, previous).clean
            if self.guide is not None and number < self.steps:
                for _ in range(PUSHES):
                    clean, shift = self._guided(self.guide, carried, clean)
                    inputs = replace(inputs, reference=inputs.reference + shift)
            previous = clean.translation
            frames = path.onward(frames, clean, here, there)
        return frames

    def _disturbance(
        self, inputs: FlowInputs, clean: Rigid, sources: Sequence[torch.Generator]
    ) -> tuple[FlowInputs, Rigid]:
        """What the network is told, and noise, from each source."""
        if self.profile is not None:
            inputs = inputs.with_profile(self.profile.to(clean.translation))
        told, noises = [], []
        for source in sources:
            one = inputs
            if self.doubt is not None:
                shift = self.model.path.noise(inputs, source).translation / self.model.path.spread
                amount = clean.translation.new_tensor(self.doubt)
                one = inputs.with_reference(clean.translation + amount * shift, amount)
            told.append(one)
            noises.append(self.model.path.noise(inputs, source))
        rotation, places = (torch.stack([getattr(one, name) for one in noises]) for name in vars(noises[0]))
        return stacked(told), Rigid(rotation, places)

    def _guided(
        self, guide: Energy, carried: CarriedAtoms, clean: Rigid
    ) -> tuple[Rigid, Float[Tensor, "replicas residues 3"]]:
        """Clean frames, pushed down the guide as far as that lowers it most, and the shifts beside the start."""
        with torch.enable_grad():
            moves = torch.zeros_like(clean.translation, requires_grad=True)
            before = guide(carried.placed(Rigid(clean.rotation, clean.translation + moves)))
            (slope,) = torch.autograd.grad(before.sum(), moves)
        onto_start = superpose(clean.translation, carried.frames.translation).rotation
        shift = carried.response.shifts(-slope @ onto_start.mT)
        turn = carried.response.turns(shift)
        best, frames, taken = before.detach(), clean, torch.zeros_like(shift)
        for share in SHORTER:
            amount = self.push * share
            tried = _moved(clean, amount * shift @ onto_start, amount * turn @ onto_start)
            energy = guide(carried.placed(tried))
            lower = (energy < best)[:, None, None]
            best = torch.minimum(energy, best)
            rotation = torch.where(lower[..., None], tried.rotation, frames.rotation)
            frames = Rigid(rotation, torch.where(lower, tried.translation, frames.translation))
            taken = torch.where(lower, amount * shift, taken)
        return frames, taken


def _moved(
    frames: Rigid, shift: Float[Tensor, "replicas residues 3"], turn: Float[Tensor, "replicas residues 3"]
) -> Rigid:
    """Frames shifted, and turned where they are."""
    return Rigid(rotation_of_turn(turn) @ frames.rotation, frames.translation + shift)
