"""What can be moved: an `Energy` that also knows which atoms may move and how heavy they are."""

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from ..shapes import Coords, Energies


@runtime_checkable
class Movable(Protocol):
    """An `Energy` of atoms with masses; a force field's `System` is one.

    `names` are those of the terms, `masses` in Da, `mobile` marks the atoms that may move.
    """

    names: tuple[str, ...]
    masses: Float[Tensor, "atoms"]
    mobile: Bool[Tensor, "atoms"]

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        ...

    def terms(self, coords: Coords) -> Float[Tensor, "*batch terms"]:
        """Energy by term, in kcal/mol; they add up to the whole."""
        ...

    def forget(self) -> None:
        """Drop whatever was kept from earlier calls, so that a resumed run sums in the same order."""
        ...
