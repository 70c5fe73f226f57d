"""Van der Waals attraction: the Lennard-Jones well beyond its minimum, and its full depth within."""

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from ..conditions import Conditions
from ..layout import Layout
from ..scene import Scene
from ..shares import PairShare, Share
from .term import Term


class VanDerWaals(Term):
    """ε (x² - 2x), x = (r_min/r)⁶ and at most 1, switched off to the cut-off; parameters: `ContactParameters`.

    The split of Weeks, Chandler and Andersen (1971): `Clash` is the other half.
    """

    name: ClassVar[str] = "vdw"
    packs: ClassVar[bool] = True

    def bind(self, layout: Layout, conditions: Conditions) -> tuple[Tensor, ...]:
        """Nothing: the scene knows the types."""
        return ()

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of all pairs."""
        return (PairShare.of(scene.contacts[0], scene.neighbours),)
