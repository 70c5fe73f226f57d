"""Conformations along the soft modes: a quick look at how a protein could move, by a chain that stays whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..shapes import Coords, Energies
from ..structure import Topology
from ..units import BOLTZMANN
from .dice import Dice
from .elastic_modes import ElasticModes
from .ensemble import Weighting
from .free_minimum import free_minimum
from .ideal_start import held_with_ideal_bonds
from .landscape import Landscape
from .movable import Movable

HOLD = 100.0  # kT per squared standard deviation of a mode, while everything else gives way
FRESH_LIST = 2  # cost of a step with a new list of pairs, in forces


@dataclass(frozen=True, eq=False)
class ModeDraws:
    """Draws so far.

    Args:
        start: Conformation with ideal bonds that the modes belong to, in Å.
        rounds: Rounds drawn.
        dice: A source for each replica.
        landscape: Made again when missing, as are the modes.
        modes: The modes.
    """

    start: Float[Tensor, "atoms 3"]
    rounds: int
    dice: Dice
    landscape: Landscape | None = field(default=None, repr=False)
    modes: ElasticModes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class AlongModes:
    """Normal draws along the softest modes of an elastic network in torsions, relaxed across the modes.

    Torsions turn, so no bond changes and no peptide breaks; a few steps of minimisation with the modes held let
    everything else give way, so that nothing clashes. The draws are proposals around the start and follow no law
    of the energy: their weights say nothing.

    Args:
        topology: The atoms.
        amplitude: Root mean square shift of Cα from the start, in Å.
        modes: How many modes.
        settle_steps: Steps of that minimisation.
        temperature: In K; it weighs the energy against the hold of the modes.
        replicas: Conformations of one round.
    """

    topology: Topology
    amplitude: float = 1.0
    modes: int = 10
    settle_steps: int = 25
    temperature: float = 300.0
    replicas: int = 10
    name: str = "modes"
    weighting: Weighting = "given"

    def __post_init__(self) -> None:
        if min(self.modes, self.replicas) < 1 or self.settle_steps < 0:
            raise ConfigError("draws along modes need modes and replicas >= 1, and settle_steps >= 0.")
        if self.temperature <= 0 or self.amplitude <= 0:
            raise ConfigError("draws along modes need a temperature and an amplitude above zero.")

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """Amplitude, modes and steps, by name."""
        return {name: getattr(self, name) for name in ("replicas", "amplitude", "modes", "settle_steps")}

    def start(self, system: Movable, coords: Float[Tensor, "atoms 3"], seed: int) -> ModeDraws:
        """The modes of the nearest conformation that has ideal bonds."""
        system.forget()
        start = held_with_ideal_bonds(system.mobile, self.topology, coords)
        dice = Dice.seeded(range(seed, seed + self.replicas), coords.device)
        return self._ready(system, ModeDraws(start, 0, dice))

    def draw(self, system: Movable, state: ModeDraws) -> tuple[ModeDraws, Coords]:
        """One conformation of each replica."""
        system.forget()
        state = self._ready(system, state)
        landscape, modes = state.landscape, state.modes
        assert landscape is not None
        assert modes is not None
        width = self.amplitude / modes.thermal.clamp_min(1e-6)
        drawn = width * state.dice.normal(len(modes.directions))
        thermal = BOLTZMANN * self.temperature

        def energy(soft: Float[Tensor, "replicas free"]) -> Energies:
            away = (soft @ modes.directions.mT - drawn).square().sum(-1)
            return landscape.energy(soft @ modes.factor.mT) / thermal + 0.5 * HOLD * away

        soft = free_minimum(energy, drawn @ modes.directions, self.settle_steps)
        coords = landscape.atoms(soft @ modes.factor.mT)
        return replace(state, rounds=state.rounds + 1), coords.to(landscape.precision)

    def step(self, state: ModeDraws) -> int:
        """Rounds drawn."""
        return state.rounds

    def evaluations(self, rounds: int, begun: bool) -> int:
        """One a step of the minimisation."""
        return rounds * (self.settle_steps + 1) * FRESH_LIST

    def report(self, state: ModeDraws) -> Mapping[str, float]:
        """Nothing: every draw is kept."""
        return {}

    def pack(self, state: ModeDraws) -> dict[str, Tensor]:
        """The draws as named tensors."""
        return {"start": state.start, "rounds": torch.tensor(state.rounds), "dice": state.dice.pack()}

    def unpack(self, tensors: Mapping[str, Tensor]) -> ModeDraws:
        """The draws that `pack` wrote."""
        dice = Dice.unpack(tensors["dice"], tensors["start"].device)
        return ModeDraws(tensors["start"], int(tensors["rounds"]), dice)

    def _ready(self, system: Movable, state: ModeDraws) -> ModeDraws:
        """With landscape and modes."""
        if state.landscape is not None:
            return state
        landscape = Landscape.of(self.topology, system, state.start, system.masses.dtype)
        return replace(state, landscape=landscape, modes=ElasticModes.of(landscape, state.start, self.modes))
