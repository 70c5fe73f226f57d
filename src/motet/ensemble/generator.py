"""What every generator is: a start, then rounds of draws, with a state that can be kept on disk."""

from collections.abc import Mapping
from typing import Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from ..shapes import Coords
from .ensemble import Weighting
from .movable import Movable

State = TypeVar("State")


@runtime_checkable
class Generator(Protocol[State]):
    """Draws conformations of one system in rounds, one conformation a replica and round.

    A run that is stopped between two rounds and goes on from `pack`ed state equals a run that was not stopped.
    """

    @property
    def name(self) -> str:
        """Name of the generator, for the record."""
        ...

    @property
    def weighting(self) -> Weighting:
        """What its draws are: `sampled` when they follow Boltzmann's law."""
        ...

    @property
    def temperature(self) -> float:
        """Temperature of the ensemble, in K."""
        ...

    @property
    def replicas(self) -> int:
        """Independent chains, one conformation each a round."""
        ...

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """What else decides the draws, by name, for the record."""
        ...

    def start(self, system: Movable, coords: Float[Tensor, "atoms 3"], seed: int) -> State:
        """State before the first round; replica i draws from seed + i."""
        ...

    def draw(self, system: Movable, state: State) -> tuple[State, Coords]:
        """The next state, and one conformation of each replica."""
        ...

    def step(self, state: State) -> int:
        """Steps each replica has taken."""
        ...

    def evaluations(self, rounds: int, begun: bool) -> int:
        """Forces on the whole batch that so many rounds cost, about; a run not begun has its burn-in to pay."""
        ...

    def report(self, state: State) -> Mapping[str, float]:
        """How the draws went so far, by name: acceptance of each move, say."""
        ...

    def pack(self, state: State) -> dict[str, Tensor]:
        """The state as named tensors, for a checkpoint."""
        ...

    def unpack(self, tensors: Mapping[str, Tensor]) -> State:
        """The state that `pack` wrote."""
        ...
