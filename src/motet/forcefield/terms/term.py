"""What an energy term is."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ..conditions import Conditions
from ..contact_pairs import CUTOFF
from ..contacts import ContactParameters
from ..filling import Room, filled, tensors_in
from ..layout import Layout
from ..neighbours import Neighbours
from ..scene import Scene
from ..shares import Share


class Term(nn.Module):
    """One physical effect. A term holds parameters only; what it needs of a protein it prepares once, by `bind`.

    Three steps: `bind` at the start, `select` whenever the list of pairs is new, `forward` at every evaluation.
    """

    name: ClassVar[str]
    packs: ClassVar[bool] = False  # whether it says of two side chains alone how well they go together
    paired: ClassVar[bool] = True  # whether it looks at pairs of atoms that are not bonded
    blank: ClassVar[Mapping[str, float]] = {}  # in a selected row that costs nothing, the fields that are not 0

    def reach(self, contacts: ContactParameters) -> float:
        """How far apart, in Å, atoms may be whose pair it needs in the shared list."""
        return CUTOFF if self.paired else 0.0

    @abstractmethod
    def bind(self, layout: Layout, conditions: Conditions) -> tuple[Tensor, ...]:
        """Indices and constants of these atoms, as a NamedTuple of tensors; floating ones in float64."""

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> tuple[Any, ...]:
        """What the term picks from a new list of pairs."""
        return ()

    def fill(self, selected: tuple[Any, ...], room: Room) -> tuple[Any, ...]:
        """The same, followed by rows that cost nothing, as many as the room asks for."""
        count = max((one.shape[-1] for one in tensors_in(selected)), default=0)
        return filled(selected, room(self.name, count), self.blank) if selected else selected

    @abstractmethod
    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol with their owners; zero for atoms that the term has nothing to say about."""


def cast(bound: tuple[Tensor, ...], like: Tensor) -> tuple[Tensor, ...]:
    """What a term has bound, where the coordinates are and in their precision."""
    tensors = [one.to(like.device, like.dtype if one.is_floating_point() else None) for one in bound]
    return type(bound)(*tensors) if bound else bound
