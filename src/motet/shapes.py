"""The contracts: what a batch of coordinates is, and what scores one.

Axes have one name in the whole library: `batch atoms residues chains pairs terms`.
"""

from typing import Protocol, TypeAlias, runtime_checkable

from jaxtyping import Float
from torch import Tensor

Coords: TypeAlias = Float[Tensor, "*batch atoms 3"]  # Å
Energies: TypeAlias = Float[Tensor, "*batch"]  # kcal/mol


@runtime_checkable
class Energy(Protocol):
    """Anything that scores coordinates: a force field, a density map, a restraint, or their weighted sum."""

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol; finite and differentiable everywhere."""
        ...
