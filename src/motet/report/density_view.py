"""A map small enough for a page: cut to the model, thinned where it is large, in 127 steps of its height."""

import base64
from dataclasses import dataclass

from ..density import DensityMap, resampled
from ..density.masks import model_mask, van_der_waals_radii
from ..structure import Structure
from .written import written

MARGIN = 4.0  # Å around the model
MOST_VOXELS = 2_000_000
STEPS = 127
FILLING = 0.6  # share of the model's own voxels that the surface encloses


@dataclass(frozen=True)
class ShownMap:
    """A map for Mol*.

    Args:
        file: Bytes of an MRC file, in base64.
        level: Density at which the surface is drawn.
        thinned: Whether the voxels are larger than the file's.
    """

    file: str
    level: float
    thinned: bool


def shown_map(density: DensityMap, structure: Structure) -> ShownMap:
    """The part of a map around a model; gzip packs what is left to about a byte a voxel."""
    coords = structure.model(0).coords.float()
    cut = density.cropped(coords, MARGIN)
    thinned = cut.grid.count > MOST_VOXELS
    if thinned:
        cut = resampled(cut, float(cut.grid.voxel.max()) * (cut.grid.count / MOST_VOXELS) ** (1 / 3))
    inside = model_mask(coords, van_der_waals_radii(structure.topology), cut.grid, probe=0.0, shrinkage=0.0)
    values = cut.density[inside] if inside.any() else cut.density.flatten()
    level = float(values.float().quantile(1 - FILLING)) if len(values) < 1 << 24 else float(values.mean())
    step = float(cut.density.abs().max()) / STEPS or 1.0
    coarse = cut.with_density((cut.density / step).round() * step)
    file = base64.b64encode(written("map.mrc", coarse.write)).decode()
    return ShownMap(file, max(level, step), thinned)
