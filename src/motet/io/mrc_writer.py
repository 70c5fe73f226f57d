"""Density maps out, as MRC2014: float32, axes in the order x, y, z."""

import gzip
import struct

import numpy as np

from ..errors import FormatError
from .mrc import HEADER, MapFile
from .notebook import shown
from .opening import PathLike
from .writing import atomic_write

WHOLE = 1e-3  # voxels: nearer than this to a whole number, an origin is written as nstart too


def write_map(density: MapFile, path: PathLike, overwrite: bool = False) -> None:
    """Writes an MRC map whole or not at all, packed where the name ends in .gz.

    The place of the first voxel goes into ORIGIN; where it is a whole number of voxels it stands in nstart too, so
    that programs which look at one of the two put the map in the same place.

    Raises:
        OutputExistsError: The file is already there and `overwrite` is false.
        FormatError: The density has no voxels, or is not finite.
    """
    values = density.density.detach().cpu().numpy().astype("<f4")
    if not values.size or not np.isfinite(values).all():
        raise FormatError(shown(path), "a map needs voxels, all of them numbers", "look for what made the density")
    data = _header(density, values) + values.transpose(2, 1, 0).tobytes()
    if str(path).lower().endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    with atomic_write(path, overwrite) as temporary:
        temporary.write_bytes(data)


def _header(density: MapFile, values: np.ndarray) -> bytes:
    shape = values.shape
    header = bytearray(HEADER)
    axes, origin = density.axes.double().cpu().numpy(), density.origin.double().cpu().numpy()
    start = origin @ np.linalg.inv(axes)
    whole = np.abs(start - start.round()).max() < WHOLE and np.abs(start).max() < 1 << 20
    nstart = start.round().astype(int).tolist() if whole else [0, 0, 0]
    angles = density.cell[3:] if any(density.cell[3:]) else (90.0, 90.0, 90.0)
    lengths = np.linalg.norm(axes, axis=-1) * shape
    struct.pack_into("<10i", header, 0, *shape, 2, *nstart, *shape)
    struct.pack_into("<6f3i", header, 40, *lengths.tolist(), *angles, 1, 2, 3)
    wide = values.astype(np.float64)
    struct.pack_into("<3fi", header, 76, wide.min(), wide.max(), wide.mean(), 1)
    struct.pack_into("<i", header, 108, 20140)
    struct.pack_into("<3f", header, 196, *origin.tolist())
    header[208:216] = b"MAP DD\0\0"
    struct.pack_into("<f", header, 216, wide.std())
    return bytes(header)
