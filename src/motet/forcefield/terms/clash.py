"""Repulsion of atoms that overlap: Lennard-Jones down to a knee, then a straight line in r²."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from ..conditions import Conditions
from ..layout import Layout
from ..scene import Scene
from ..shares import PairShare, Share
from .term import Term

KNEE = 0.65  # of the distance of the minimum: carbons meet it at 2.7 Å, where a contact costs 18 kcal/mol


class Clash(Term):
    """ε (x - 1)², x = (r_min/r)⁶, from the minimum inwards; below the knee its tangent, so that it stays finite.

    The split of Weeks, Chandler and Andersen (1971): `VanDerWaals` is the other half.
    """

    name: ClassVar[str] = "clash"

    def bind(self, layout: Layout, conditions: Conditions) -> tuple[Tensor, ...]:
        """Nothing: the scene knows the types."""
        return ()

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Tensor, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of all pairs."""
        reduced = scene.reduced
        inverse = 1.0 / reduced.clamp(KNEE * KNEE, 1.0)
        excess = inverse * inverse * inverse - 1.0
        # Linear in the squared distance below the knee: as finite, without a kink where atoms coincide.
        below = (KNEE * KNEE - reduced).clamp_min(0.0)
        slope = 6.0 * (KNEE**-6 - 1.0) * KNEE**-8
        return (PairShare.of(scene.depth * (excess * excess + slope * below), scene.neighbours),)
