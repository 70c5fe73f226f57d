"""What a model should look like in the microscope: one conformation, or a mixture of several in one map."""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from ..shapes import Coords
from ..structure import Structure
from .fourier import low_pass
from .grid import Grid
from .render import TAIL, render
from .scattering import Scatterers, scatterers_of


@runtime_checkable
class DensityModel(Protocol):
    """Coordinates to density on a grid."""

    @property
    def grid(self) -> Grid:
        """The voxels."""
        ...

    def __call__(self, coords: Coords) -> Float[Tensor, "*batch x y z"]:
        """Density of each conformation, or of each mixture."""
        ...


@dataclass(frozen=True, eq=False)
class ModelDensity:
    """Density of each conformation.

    Args:
        scatterers: Form factors of the atoms.
        b_factors: In Å².
        occupancies: Share of each atom that is there.
        grid: The voxels.
        blur: Added to every B factor, in Å²: the map that it is compared with has it too.
        resolution: Hard cut of the spatial frequencies, in Å; none when left out.
        tail: Where an atom is cut off, as a fraction of its height.
    """

    scatterers: Scatterers
    b_factors: Float[Tensor, "atoms"]
    occupancies: Float[Tensor, "atoms"]
    grid: Grid
    blur: float = 0.0
    resolution: float | None = None
    tail: float = TAIL

    @classmethod
    def of(cls, structure: Structure, grid: Grid, resolution: float | None = None) -> "ModelDensity":
        """With the B factors and occupancies of a structure."""
        factors = structure.b_factors.float(), structure.occupancies.float()
        return cls(scatterers_of(structure.topology), *factors, grid, resolution=resolution)

    def __call__(self, coords: Coords) -> Float[Tensor, "*batch x y z"]:
        """Density of each conformation; differentiable by its coordinates, B factors and occupancies."""
        density = render(
            coords, self.scatterers, self.b_factors, self.occupancies, self.grid, blur=self.blur, tail=self.tail
        )
        return density if self.resolution is None else low_pass(density, self.grid, self.resolution)

    def with_b_factors(self, b_factors: Float[Tensor, "atoms"]) -> "ModelDensity":
        """The same with other B factors, in Å²."""
        return replace(self, b_factors=b_factors)


@dataclass(frozen=True, eq=False)
class MixtureDensity:
    """One map of several states at once: their densities, weighted and added up.

    Args:
        model: Density of one state.
        weights: Share of each state.
    """

    model: DensityModel
    weights: Float[Tensor, "states"]

    @property
    def grid(self) -> Grid:
        """The voxels."""
        return self.model.grid

    def __call__(self, coords: Float[Tensor, "*batch placed 3"]) -> Float[Tensor, "*batch x y z"]:
        """Density of each mixture, its states laid end to end; differentiable by coordinates and weights."""
        states = coords.unflatten(-2, (len(self.weights), -1))
        return (self.weights.to(coords)[:, None, None, None] * self.model(states)).sum(-4)
