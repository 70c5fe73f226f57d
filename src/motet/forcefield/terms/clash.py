"""Repulsion of atoms that overlap: Lennard-Jones down to a knee, then a straight line in r²."""

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from ..conditions import Conditions
from ..contact_pairs import CUTOFF
from ..contacts import ContactParameters
from ..layout import Layout
from ..scene import Scene
from ..shares import PairShare, Share
from .term import Term


class Clash(Term):
    """ε (x - 1)², x = (r_min/r)⁶, inside the minimum; below a knee its tangent in r², so that it stays finite.

    The split of Weeks, Chandler and Andersen (1971): `VanDerWaals` is the other half.
    """

    name: ClassVar[str] = "clash"
    packs: ClassVar[bool] = True

    def reach(self, contacts: ContactParameters) -> float:
        """The farthest minimum: beyond it nothing overlaps."""
        return min(CUTOFF, contacts.farthest_minimum)

    def bind(self, layout: Layout, conditions: Conditions) -> tuple[Tensor, ...]:
        """Nothing: the scene knows the types."""
        return ()

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of all pairs."""
        return (PairShare.of(scene.contacts[1], scene.neighbours),)
