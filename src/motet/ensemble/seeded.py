"""Monte Carlo from starts that the flow has drawn: the flow crosses barriers, Monte Carlo weighs what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..geometry import rmsd
from ..shapes import Coords
from .ensemble import Weighting
from .flow import Flow
from .montecarlo import Chains, MonteCarlo
from .movable import Movable


@dataclass(frozen=True, eq=False)
class Seeded:
    """Chains in motion, each from a start of its own.

    Args:
        seeds: What the flow drew, in Å.
        places: Where the chains are now, in Å.
        chains: The chains.
    """

    seeds: Float[Tensor, "replicas atoms 3"]
    places: Float[Tensor, "replicas atoms 3"]
    chains: tuple[Chains, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SeededMonteCarlo:
    """As many chains of Monte Carlo as the flow draws conformations in a round, one from each.

    Chains that started apart and came to agree have forgotten where they started: R̂ over the replicas says so.
    Each chain draws from Boltzmann's law; that they visit all basins in due proportion is what R̂ must show.

    Args:
        flow: What draws the starts.
        montecarlo: What goes on from each; of one replica.
    """

    flow: Flow = field(repr=False)
    montecarlo: MonteCarlo
    name: str = "both"
    weighting: Weighting = "sampled"

    def __post_init__(self) -> None:
        if self.montecarlo.replicas != 1:
            raise ConfigError("a seeded Monte Carlo needs one replica a start; its starts are those of the flow.")

    @property
    def temperature(self) -> float:
        """Temperature of the chains, in K."""
        return self.montecarlo.temperature

    @property
    def replicas(self) -> int:
        """One chain for each conformation of a round of the flow."""
        return self.flow.replicas

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """Those of both, by name."""
        own = {name: value for name, value in self.montecarlo.settings.items() if name != "replicas"}
        return own | {f"flow_{name}": value for name, value in self.flow.settings.items()}

    def start(self, system: Movable, coords: Float[Tensor, "atoms 3"], seed: int) -> Seeded:
        """Every chain at a conformation of the flow."""
        _, seeds = self.flow.draw(system, self.flow.start(system, coords, seed))
        chains = tuple(self.montecarlo.start(system, one, seed + i) for i, one in enumerate(seeds))
        return Seeded(seeds, seeds, chains)

    def draw(self, system: Movable, state: Seeded) -> tuple[Seeded, Coords]:
        """The next conformation of each chain."""
        chains, drawn = zip(*(self.montecarlo.draw(system, one) for one in state.chains), strict=True)
        coords = torch.cat(drawn)
        return Seeded(state.seeds, coords, chains), coords

    def step(self, state: Seeded) -> int:
        """Sweeps each chain has made."""
        return self.montecarlo.step(state.chains[0])

    def evaluations(self, rounds: int, begun: bool) -> int:
        """Chains with unlike starts take their steps one after another."""
        before = 0 if begun else self.flow.evaluations(1, False)
        return before + self.replicas * self.montecarlo.evaluations(rounds, begun)

    def report(self, state: Seeded) -> Mapping[str, float]:
        """Mean acceptance of each move, and how far the chains have gone from what the flow drew, in Å."""
        each = [self.montecarlo.report(one) for one in state.chains]
        rates = {name: sum(one[name] for one in each) / len(each) for name in each[0]}
        return rates | {"rmsd_from_flow": float(rmsd(state.places, state.seeds).mean())}

    def pack(self, state: Seeded) -> dict[str, Tensor]:
        """The chains as named tensors."""
        packed = {"seeds": state.seeds, "places": state.places}
        for i, one in enumerate(state.chains):
            packed |= {f"{i}.{name}": value for name, value in self.montecarlo.pack(one).items()}
        return packed

    def unpack(self, tensors: Mapping[str, Tensor]) -> Seeded:
        """The chains that `pack` wrote."""
        chains = []
        for i in range(self.replicas):
            own = {name.removeprefix(f"{i}."): one for name, one in tensors.items() if name.startswith(f"{i}.")}
            chains.append(self.montecarlo.unpack(own))
        return Seeded(tensors["seeds"], tensors["places"], tuple(chains))
