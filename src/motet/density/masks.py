"""Which voxels belong to a model."""

import itertools
import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..chem import ELEMENTS
from ..structure import Topology
from .grid import Grid

PROBE = 1.1  # Å beyond the van der Waals radius that still belongs to an atom
SHRINKAGE = 0.9  # Å that the mask then gives back: crevices stay filled
SOFT_PROBE = 0.3  # Å beyond the van der Waals radius where a soft mask begins to fall
SOFT_EDGE = 2.3  # Å over which it falls to nothing
CHUNK = 1 << 22  # voxels looked at together


def van_der_waals_radii(topology: Topology) -> Float[Tensor, "atoms"]:
    """Van der Waals radius of each atom, in Å; an element that is not known has carbon's."""
    known = (ELEMENTS.get(str(symbol), ELEMENTS["C"]) for symbol in topology.elements.tolist())
    return torch.tensor([element.van_der_waals_radius for element in known])


def model_mask(
    coords: Float[Tensor, "*batch atoms 3"],
    radii: Float[Tensor, "atoms"],
    grid: Grid,
    *,
    probe: float = PROBE,
    shrinkage: float = SHRINKAGE,
) -> Bool[Tensor, "x y z"]:
    """Voxels within `radius + probe` of an atom of any conformation, less those within `shrinkage` of the others.

    Source: Jiang and Brünger, J. Mol. Biol. 243 (1994) 100; the mask of CC_mask in Afonine et al., Acta Cryst. D74
    (2018) 814.
    """
    points = coords.detach().reshape(-1, 3)
    reach = (radii.to(coords) + probe).expand(*coords.shape[:-1]).flatten()
    mask = distances_to_surface(points, reach, grid, margin=float(grid.voxel.max())) <= 0
    return _eroded(mask, grid, shrinkage) if shrinkage > 0 else mask


def soft_mask(
    coords: Float[Tensor, "*batch atoms 3"],
    radii: Float[Tensor, "atoms"],
    grid: Grid,
    *,
    probe: float = SOFT_PROBE,
    edge: float = SOFT_EDGE,
) -> Float[Tensor, "x y z"]:
    """1 within `radius + probe` of an atom, falling to 0 over an edge, in Å, as half a cosine wave."""
    points = coords.detach().reshape(-1, 3)
    reach = (radii.to(coords) + probe).expand(*coords.shape[:-1]).flatten()
    outside = distances_to_surface(points, reach, grid, margin=edge)
    return 0.5 + 0.5 * torch.cos(math.pi * (outside / edge).clamp(0, 1))


def distances_to_surface(
    points: Float[Tensor, "points 3"], radii: Float[Tensor, "points"], grid: Grid, margin: float
) -> Float[Tensor, "x y z"]:
    """Distance of each voxel from the nearest sphere, in Å: negative inside one, at most `margin` outside."""
    voxels = grid.to_voxels(points)
    nearest = voxels.round()
    far = float(radii.max()) + margin if len(radii) else 0.0
    reach = (far * grid.inverse_axes.norm(dim=0)).ceil().long().tolist()
    offsets = torch.cartesian_prod(*(torch.arange(-k, k + 1, device=points.device) for k in reach))
    values = points.new_full((grid.count,), margin)
    size = torch.tensor(grid.shape, device=points.device)
    axes = grid.axes.to(points)
    for chunk in torch.arange(len(points), device=points.device).split(max(CHUNK // len(offsets), 1)):
        at = nearest[chunk, None].long() + offsets
        inside = ((at >= 0) & (at < size)).all(-1)
        apart = ((at - voxels[chunk, None]) @ axes).norm(dim=-1) - radii[chunk, None]
        index = (at[..., 0] * grid.shape[1] + at[..., 1]) * grid.shape[2] + at[..., 2]
        values.scatter_reduce_(0, index[inside], apart[inside], "amin")
    return values.reshape(grid.shape)


def _eroded(mask: Bool[Tensor, "x y z"], grid: Grid, depth: float) -> Bool[Tensor, "x y z"]:
    """The mask without what lies within a depth of its outside; beyond the edge of the map all is inside."""
    reach = (depth * grid.inverse_axes.norm(dim=0)).floor().long().tolist()
    outside = torch.nn.functional.pad(~mask, [k for k in reversed(reach) for _ in range(2)])
    eroded = mask.clone()
    for offset in itertools.product(*(range(-k, k + 1) for k in reach)):
        step = torch.tensor(offset, dtype=torch.float64) @ grid.axes.cpu()
        if 0 < float(step.norm()) <= depth:
            window = tuple(slice(k + d, k + d + n) for k, d, n in zip(reach, offset, grid.shape, strict=True))
            eroded &= ~outside[window]
    return eroded
