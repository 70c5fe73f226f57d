"""A density map: values on a grid, and where the grid is."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigError
from ..io import MapFile, read_map, write_map
from ..io.opening import PathLike
from ..structure import Note
from .grid import Grid


@dataclass(frozen=True, eq=False)
class DensityMap:
    """Values on a grid; every edit returns a new map.

    Args:
        density: Values, `x y z`.
        grid: Where the voxels are.
        name: Short name.
        notes: What was repaired on reading, or looks odd.
    """

    density: Float[Tensor, "x y z"]
    grid: Grid
    name: str = "map"
    notes: tuple[Note, ...] = field(default=())

    def __post_init__(self) -> None:
        if tuple(self.density.shape) != self.grid.shape:
            raise ConfigError(f"{self.name}: {tuple(self.density.shape)} values on a grid of {self.grid.shape}.")

    @classmethod
    def of_file(cls, file: MapFile) -> "DensityMap":
        """The map that a file holds, in its place."""
        x, y, z = file.density.shape
        return cls(file.density, Grid((x, y, z), file.axes, file.origin), file.name, file.notes)

    @classmethod
    def read(cls, path: PathLike) -> "DensityMap":
        """The map of an MRC or CCP4 file, packed or not.

        Raises:
            FormatError: The file is no map that can be read.
        """
        return cls.of_file(read_map(path))

    def write(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes MRC, packed where the name ends in .gz.

        Raises:
            OutputExistsError: The file is already there and `overwrite` is false.
        """
        axes = self.grid.axes
        lengths = (self.grid.voxel * torch.tensor(self.grid.shape)).tolist()
        unit = axes / axes.norm(dim=-1, keepdim=True)
        cosines = (unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1])
        angles = [float(torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))) for cosine in cosines]
        cell = (*lengths, *angles)
        write_map(MapFile(self.density, axes, self.grid.origin, cell, self.name), path, overwrite)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.grid.shape))
        voxel = ", ".join(f"{v:.3f}" for v in self.grid.voxel.tolist())
        return f"DensityMap({self.name!r}, {shape} voxels of {voxel} Å)"

    def with_density(self, density: Float[Tensor, "x y z"]) -> "DensityMap":
        """Other values on the same grid."""
        return replace(self, density=density)

    def to(self, target: torch.device | str | torch.dtype) -> "DensityMap":
        """The same map with its values on another device or in another precision."""
        return replace(self, density=self.density.to(target))

    def contains(self, coords: Float[Tensor, "*batch 3"]) -> Bool[Tensor, "*batch"]:
        """Whether points, in Å, lie among the voxels."""
        voxels = self.grid.to_voxels(coords)
        return ((voxels >= 0) & (voxels <= voxels.new_tensor(self.grid.shape) - 1)).all(-1)

    def at(self, coords: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """Trilinear density at points in Å, differentiable by them; outside the map it is 0, with no gradient."""
        return trilinear(self.density, self.grid.to_voxels(coords))

    def cropped(self, coords: Float[Tensor, "points 3"], margin: float) -> "DensityMap":
        """The part of the map within `margin` Å of some points, on the same voxels.

        Raises:
            ConfigError: None of it is.
        """
        voxels = self.grid.to_voxels(coords.detach().double()).cpu()
        reach = margin * self.grid.inverse_axes.norm(dim=0)
        lower = (voxels.amin(0) - reach).floor().long().clamp_min(0)
        upper = (voxels.amax(0) + reach).ceil().long().add(1).minimum(torch.tensor(self.grid.shape))
        if (upper <= lower).any():
            raise ConfigError(f"{self.name}: the model lies outside the map; dock it into the map first.")
        (x, y, z), (x1, y1, z1) = lower.tolist(), upper.tolist()
        grid = Grid((x1 - x, y1 - y, z1 - z), self.grid.axes, self.grid.to_coords(lower.double()))
        return replace(self, density=self.density[x:x1, y:y1, z:z1].contiguous(), grid=grid)


def trilinear(density: Float[Tensor, "x y z"], voxels: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
    """Density between eight voxels, at coordinates in voxels; 0 outside."""
    size = torch.tensor(density.shape, device=voxels.device)
    low = voxels.detach().floor().long()
    part = voxels - low.to(voxels.dtype)
    total = voxels.new_zeros(voxels.shape[:-1])
    for corner in torch.cartesian_prod(*[torch.arange(2, device=voxels.device)] * 3):
        index = low + corner
        inside = ((index >= 0) & (index < size)).all(-1)
        i, j, k = torch.where(inside.unsqueeze(-1), index, 0).unbind(-1)
        share = torch.where(corner.bool(), part, 1 - part).prod(-1)
        total = total + torch.where(inside, share, 0.0) * density[i, j, k].to(voxels.dtype)
    return total
