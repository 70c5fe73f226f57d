"""Torsion Monte Carlo: draws from Boltzmann's law by moves that never break the chain."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..shapes import Coords
from ..structure import Topology
from ..units import BOLTZMANN
from .dice import Dice
from .ensemble import Weighting
from .ideal_start import with_ideal_bonds
from .landscape import Landscape
from .movable import Movable
from .moves import ChiTurn, Closure, Move, Pivot, RotamerJump, Twist, Walkers
from .soft_modes import soft_covariance_factor
from .tempering import exchange, ladder

SEEDS_APART = 1_000_003  # between the rungs of a replica
LEAST_SIZE = 1e-3
NAMES = ("twist", "loop", "hinge", "pivot", "rotamer", "chi", "exchange")
OTHER_MOVES, FRESH_LIST = 3, 2  # cost of a sweep's other moves, and of a new list of pairs, in forces
FASTEST_TUNING = 3.0  # change of the logarithm of a size for a whole unit of acceptance, in the first sweep
# Later sweeps change it by this power of their number less: the start is colder than what comes, so the last ones
# must count (Andrieu and Thoms, Stat. Comput. 18 (2008) 343).
TUNING_DECAY = 0.6


@dataclass(frozen=True, eq=False)
class Workshop:
    """What is made once from the start: the landscape, and the moves of one sweep, in order."""

    landscape: Landscape
    moves: tuple[Move, ...]


@dataclass(frozen=True, eq=False)
class Chains:
    """Markov chains in motion.

    Args:
        start: Conformation with ideal bonds that the free coordinates count from, in Å.
        q: Free coordinates; replica by replica, coldest rung first.
        energy: Energy of each walker, in kcal/mol.
        sizes: Size of each move (in the order of `NAMES`) at each rung.
        chances: Sum of the chances of acceptance since burn-in, of each move at each rung.
        tries: How many tries that sums over.
        sweeps: Sweeps done.
        dice: Source of random numbers of each walker.
        workshop: Made again when missing.
    """

    start: Float[Tensor, "atoms 3"]
    q: Float[Tensor, "walkers free"]
    energy: Float[Tensor, "walkers"]
    sizes: Float[Tensor, "moves rungs"]
    chances: Float[Tensor, "moves rungs"]
    tries: Float[Tensor, "moves rungs"]
    sweeps: int
    dice: Dice
    workshop: Workshop | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class MonteCarlo:
    """Metropolis Monte Carlo in torsions, with parallel tempering; all replicas and temperatures in one batch.

    Bond lengths are ideal and stay so; torsions, the angle N-CA-C and the poses of chains are free. One sweep is
    some concerted twists, a loop closure, a hinge move, a pivot, a rotamer jump and a turn of a side chain. Sizes
    of the moves are tuned in burn-in and fixed from then on.

    Args:
        topology: The atoms: a move must know the chain.
        temperature: In K.
        replicas: Independent chains.
        burn_in: Sweeps before the first conformation is kept.
        interval: Sweeps between kept conformations of a replica.
        twists: Concerted twists of one sweep.
        steps: Leapfrog steps of a twist.
        rungs: Temperatures of each replica, the coldest being the ensemble's.
        hottest: The highest of them, in K; read only where there is more than one.
    """

    topology: Topology
    temperature: float = 300.0
    replicas: int = 10
    burn_in: int = 10
    interval: int = 2
    twists: int = 1
    steps: int = 8
    rungs: int = 1
    hottest: float = 400.0
    name: str = "montecarlo"
    weighting: Weighting = "sampled"

    def __post_init__(self) -> None:
        if min(self.replicas, self.interval, self.rungs, self.steps) < 1 or min(self.burn_in, self.twists) < 0:
            raise ConfigError(
                "Monte Carlo needs replicas, interval, rungs and steps >= 1, and burn_in and twists >= 0."
            )
        if self.temperature <= 0 or (self.rungs > 1 and self.hottest <= self.temperature):
            raise ConfigError("Monte Carlo needs a temperature above zero, and a hottest one above that.")

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """Replicas, sweeps, twists and temperatures, by name."""
        names = ("replicas", "burn_in", "interval", "twists", "steps", "rungs")
        return {name: getattr(self, name) for name in names} | (
            {"hottest": self.hottest} if self.rungs > 1 else {}
        )

    def start(self, system: Movable, coords: Float[Tensor, "atoms 3"], seed: int) -> Chains:
        """All walkers at the conformation next to `coords` that has ideal bonds."""
        system.forget()
        start = with_ideal_bonds(system, system.mobile, self.topology, coords)
        seeds = [seed + i + SEEDS_APART * rung for i in range(self.replicas) for rung in range(self.rungs)]
        workshop = self._workshop(system, start, coords.dtype)
        first = {move.name: move.first_size for move in workshop.moves}
        sizes = start.new_tensor([[first.get(name, 1.0)] * self.rungs for name in NAMES])
        counts = torch.zeros_like(sizes)
        q = workshop.landscape.articulation.zeros(len(seeds))
        with torch.no_grad():
            energy = workshop.landscape.energy(q)
        dice = Dice.seeded(seeds, coords.device)
        return Chains(start, q, energy, sizes, counts, counts.clone(), 0, dice, workshop)

    def draw(self, system: Movable, state: Chains) -> tuple[Chains, Coords]:
        """Run one interval, preceded by the burn-in in the first round."""
        # Pairs are listed anew at the start of a round, so that a resumed run sums in the same order.
        system.forget()
        workshop = state.workshop or self._workshop(system, state.start, self._precision(system))
        state = replace(state, workshop=workshop)
        for _ in range(self.interval if state.sweeps else self.burn_in + self.interval):
            state = self._swept(workshop, state, tuning=state.sweeps < self.burn_in)
        cold = workshop.landscape.atoms(state.q[:: self.rungs])
        return state, cold.to(workshop.landscape.precision)

    def step(self, state: Chains) -> int:
        """Sweeps each replica has made."""
        return state.sweeps

    def evaluations(self, rounds: int, begun: bool) -> int:
        """Twists take one a leapfrog step, dearer than in dynamics: they move too far for an old list of pairs."""
        sweeps = rounds * self.interval + (0 if begun else self.burn_in)
        return sweeps * (self.twists * (self.steps + 1) + OTHER_MOVES) * FRESH_LIST * self.rungs

    def report(self, state: Chains) -> Mapping[str, float]:
        """Mean chance of acceptance since burn-in of each move at the ensemble's temperature, and of exchanges."""
        rates = (state.chances / state.tries.clamp_min(1))[:, 0].tolist()
        tried = (state.tries[:, 0] > 0).tolist()
        return {f"acceptance_{NAMES[row]}": rate for row, rate in enumerate(rates) if tried[row]}

    def pack(self, state: Chains) -> dict[str, Tensor]:
        """The chains as named tensors."""
        named = ("start", "q", "energy", "sizes", "chances", "tries")
        packed = {name: getattr(state, name).contiguous() for name in named}
        return packed | {"sweeps": torch.tensor(state.sweeps), "dice": state.dice.pack()}

    def unpack(self, tensors: Mapping[str, Tensor]) -> Chains:
        """The chains that `pack` wrote."""
        return Chains(
            start=tensors["start"],
            q=tensors["q"],
            energy=tensors["energy"],
            sizes=tensors["sizes"],
            chances=tensors["chances"],
            tries=tensors["tries"],
            sweeps=int(tensors["sweeps"]),
            dice=Dice.unpack(tensors["dice"], tensors["q"].device),
        )

    def _workshop(self, system: Movable, start: Float[Tensor, "atoms 3"], precision: torch.dtype) -> Workshop:
        landscape = Landscape.of(self.topology, system, start, precision)
        moves: list[Move | None] = []
        if landscape.articulation.size and self.twists:
            ties = landscape.ties, landscape.tie_stiffness
            factor = soft_covariance_factor(landscape.articulation, start, *ties)
            moves += [Twist(factor, self.steps)] * self.twists
        moves += [Closure.loops(landscape), Closure.hinges(landscape), Pivot.of(landscape)]
        if jumps := RotamerJump.of(landscape):
            moves += [jumps, ChiTurn(jumps)]
        return Workshop(landscape, tuple(move for move in moves if move is not None))

    def _swept(self, workshop: Workshop, state: Chains, tuning: bool) -> Chains:
        """One sweep of every walker."""
        sizes, chances, tries = state.sizes.clone(), state.chances.clone(), state.tries.clone()
        walkers = Walkers(state.q, state.energy, self._thermal(state.q))
        for move in workshop.moves:
            which = NAMES.index(move.name)
            size = sizes[which].repeat(self.replicas)
            walkers, chance = move.step(workshop.landscape, walkers, size, state.dice)
            mean = chance.reshape(self.replicas, self.rungs).mean(0)
            if tuning and move.wanted is not None:
                gain = FASTEST_TUNING / (1 + state.sweeps) ** TUNING_DECAY
                sizes[which] = (sizes[which] * (gain * (mean - move.wanted)).exp()).clamp(
                    LEAST_SIZE, move.largest_size
                )
            elif not tuning:
                chances[which] += mean
                tries[which] += 1
        if self.rungs > 1:
            walkers, chance = exchange(walkers, self.rungs, state.sweeps % 2 == 1, state.dice)
            if not tuning and chance.shape[1]:
                chances[-1] += chance.mean()
                tries[-1] += 1
        return replace(
            state,
            q=walkers.q,
            energy=walkers.energy,
            sizes=sizes,
            chances=chances,
            tries=tries,
            sweeps=state.sweeps + 1,
        )

    def _thermal(self, like: Tensor) -> Float[Tensor, "walkers"]:
        """kT of each walker, in kcal/mol."""
        return BOLTZMANN * like.new_tensor(ladder(self.temperature, self.hottest, self.rungs)).repeat(
            self.replicas
        )

    def _precision(self, system: Movable) -> torch.dtype:
        return system.masses.dtype
