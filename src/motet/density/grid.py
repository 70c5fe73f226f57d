"""Where the voxels of a map are: shape, steps and origin, and the way between voxels and Å."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError

RIGHT = 1e-6  # relative: an axis leans less than this where the cell has right angles


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxel (i, j, k) lies at `origin + (i, j, k) @ axes`.

    Args:
        shape: Voxels along each index.
        axes: Step to the next voxel along each index, one a row, in Å; float64.
        origin: Place of the voxel (0, 0, 0), in Å; float64. It need be no whole number of voxels.

    Raises:
        ConfigError: There are no voxels, or the steps span no volume.
    """

    shape: tuple[int, int, int]
    axes: Float[Tensor, "3 3"]
    origin: Float[Tensor, "3"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", self.axes.double())
        object.__setattr__(self, "origin", self.origin.double())
        if min(self.shape) < 1 or not float(torch.linalg.det(self.axes).abs()) > 0:
            raise ConfigError(f"a grid of {self.shape} voxels with steps {self.axes.tolist()} Å spans no volume.")

    @cached_property
    def inverse_axes(self) -> Float[Tensor, "3 3"]:
        """From Å to voxels: `(coords - origin) @ inverse_axes`; its columns are the reciprocal steps, in 1/Å."""
        return torch.linalg.inv(self.axes)

    @property
    def voxel(self) -> Float[Tensor, "3"]:
        """Distance to the next voxel along each index, in Å."""
        return self.axes.norm(dim=-1)

    @property
    def count(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @cached_property
    def is_orthogonal(self) -> bool:
        """Whether the steps run along x, y and z."""
        leaning = self.axes - torch.diag(self.axes.diagonal())
        return bool(leaning.abs().max() <= RIGHT * self.voxel.min())

    @property
    def finest(self) -> float:
        """Finest spacing that the grid can hold in every direction (Nyquist), in Å."""
        return 2 * float((1 / self.inverse_axes.norm(dim=0)).max())

    def to_voxels(self, coords: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Coordinates in voxels of points in Å, in the precision of the points; differentiable.

        The origin is taken off in float64: far from (0, 0, 0), float32 would lose the last digits twice.
        """
        return ((coords.double() - self.origin.to(coords.device)) @ self._inverse_on(coords)).to(coords.dtype)

    def to_coords(self, voxels: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Points in Å of coordinates in voxels, in their precision."""
        wide = voxels.double() @ self.axes.to(voxels.device) + self.origin.to(voxels.device)
        return wide.to(voxels.dtype if voxels.is_floating_point() else torch.get_default_dtype())

    def centres(self, device: torch.device | str | None = None) -> Float[Tensor, "x y z 3"]:
        """Place of every voxel, in Å, in float64."""
        index = torch.meshgrid(
            *(torch.arange(n, dtype=torch.float64, device=device) for n in self.shape), indexing="ij"
        )
        return self.to_coords(torch.stack(index, dim=-1))

    def _inverse_on(self, like: Tensor) -> Float[Tensor, "3 3"]:
        return self.inverse_axes.to(like.device)
