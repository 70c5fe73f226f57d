"""The contracts: what a batch of coordinates is, what scores one, and that weighted sums of scores are scores.

Axes have one name in the whole library: `batch atoms residues chains pairs terms`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
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


class Summable(ABC):
    """What lets an energy stand in a weighted sum."""

    @abstractmethod
    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""

    def __add__(self, other: Energy) -> "EnergySum":
        return EnergySum((*_parts(self), *_parts(other)))

    def __radd__(self, other: Energy) -> "EnergySum":
        return EnergySum((*_parts(other), *_parts(self)))

    def __mul__(self, factor: float) -> "EnergySum":
        return EnergySum(tuple((factor * weight, energy) for weight, energy in _parts(self)))

    __rmul__ = __mul__


@dataclass(frozen=True)
class EnergySum(Summable):
    """Σ weight · energy over the same atoms.

    Args:
        parts: Weight and energy of each part.
    """

    parts: tuple[tuple[float, Energy], ...]

    def __call__(self, coords: Coords) -> Energies:
        """Weighted sum, in kcal/mol."""
        total = coords.new_zeros(())
        for weight, energy in self.parts:
            total = total + weight * energy(coords)
        return total


def _parts(energy: Energy) -> tuple[tuple[float, Energy], ...]:
    return energy.parts if isinstance(energy, EnergySum) else ((1.0, energy),)
