"""Density maps: MRC2014 and CCP4, read without trusting the header.

Source: Cheng et al., J. Struct. Biol. 192 (2015) 146, MRC2014; ccpem.ac.uk/mrc-format.
"""

import struct
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import FormatError
from ..structure import Note
from .notebook import Notebook, counted
from .opening import PathLike, Source, load
from .pdb import possible_cell

HEADER = 1024  # bytes
LARGEST = 1 << 28  # voxels; 645³
_MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
SKEWED = -0.5  # third moment; maps of molecules have +0.9 to +4, noise has 0
_REMEDY = "fetch the map again, or write it with another program"


@dataclass(frozen=True, eq=False)
class MapFile:
    """A density map on a grid, as a file holds it, with its axes in the order x, y, z.

    The voxel with index (i, j, k) lies at `origin + (i, j, k) @ axes`.

    Args:
        density: Values, `x y z`.
        axes: Step to the next voxel along each index, one a row, in Å; diagonal when the cell has right angles.
            In float64, as is the origin: maps are often far from (0, 0, 0).
        origin: Place of the voxel (0, 0, 0), in Å.
        cell: Lengths in Å and angles in degrees of the unit cell.
        name: Short name.
        notes: What was repaired, or looks odd.
    """

    density: Float[Tensor, "x y z"]
    axes: Float[Tensor, "3 3"]
    origin: Float[Tensor, "3"]
    cell: tuple[float, ...]
    name: str = "map"
    notes: tuple[Note, ...] = ()

    @property
    def voxel(self) -> Float[Tensor, "3"]:
        """Distance between neighbours along x, y and z, in Å."""
        return self.axes.norm(dim=-1)

    def __repr__(self) -> str:
        shape, voxel = "x".join(map(str, self.density.shape)), ", ".join(f"{v:.3f}" for v in self.voxel.tolist())
        return f"MapFile({self.name!r}, {shape} voxels of {voxel} Å)"


@dataclass(frozen=True)
class _Header:
    order: str
    size: tuple[int, int, int]
    mode: int
    start: tuple[int, int, int]
    sampling: tuple[int, int, int]
    cell: tuple[float, ...]
    axis: tuple[int, int, int]
    space_group: int
    extended: int
    origin: tuple[float, ...]
    magic: bytes
    stamp: bytes


def read_map(path: PathLike) -> MapFile:
    """A density map from an MRC or CCP4 file, packed or not, with nstart and ORIGIN honoured.

    Raises:
        FormatError: The header lies or cannot hold a map, values are missing or not finite.
    """
    source = load(path)
    notes = Notebook(source.notes)
    header = _header(source, notes)
    _check(header, source)
    values = _values(header, source)
    axis = _axis_order(header, notes)
    density = np.ascontiguousarray(values.transpose(_to_xyz(axis)))
    start = np.array(header.start)[[axis.index(k) for k in (1, 2, 3)]]
    axes = _axes(header)
    origin = _origin(header, start, axes, notes)
    _remark(header, density, notes)
    return MapFile(
        torch.from_numpy(density),
        torch.from_numpy(axes),
        torch.from_numpy(origin),
        header.cell,
        source.stem,
        notes.notes,
    )


def _header(source: Source, notes: Notebook) -> _Header:
    data = source.data
    if len(data) < HEADER:
        raise FormatError(source.label, f"is shorter ({len(data)} bytes) than the header of a map", _REMEDY)
    order = _byte_order(data, source, notes)
    words = struct.unpack_from(f"{order}10i", data, 0)
    angles_and_lengths = struct.unpack_from(f"{order}6f", data, 40)
    axis = struct.unpack_from(f"{order}3i", data, 64)
    space_group, extended = struct.unpack_from(f"{order}2i", data, 88)
    return _Header(
        order,
        (words[0], words[1], words[2]),
        words[3],
        (words[4], words[5], words[6]),
        (words[7], words[8], words[9]),
        angles_and_lengths,
        (axis[0], axis[1], axis[2]),
        space_group,
        extended,
        struct.unpack_from(f"{order}3f", data, 196),
        data[208:212],
        data[212:216],
    )


def _byte_order(data: bytes, source: Source, notes: Notebook) -> str:
    """The machine stamp where there is one, else the order in which the mode makes sense."""
    if data[208:212] not in (b"MAP ", b"MAP\0"):
        notes.add("repaired", "the header has no MAP mark, as in maps before the year 2000: read all the same.")
    if data[212:214] in (b"DD", b"DA"):
        return "<"
    if data[212:214] == b"\x11\x11":
        return ">"
    fitting = [order for order in "<>" if struct.unpack_from(f"{order}i", data, 12)[0] in _MODES]
    fitting = [
        order for order in fitting if all(0 < n < 1 << 16 for n in struct.unpack_from(f"{order}3i", data, 0))
    ]
    if not fitting:
        raise FormatError(source.label, "is not a density map", "give an MRC or CCP4 map")
    notes.add("repaired", "the machine stamp says nothing: the byte order is taken from the other fields.")
    return fitting[0]


def _check(header: _Header, source: Source) -> None:
    """Refuse what cannot be a map, before anything is allocated."""
    if min(header.size) < 1:
        raise _refused(source, f"claims {_times(header.size)} voxels")
    if header.mode not in _MODES:
        raise _refused(source, f"has mode {header.mode}, which is no real-valued map")
    if _is_flat(header):
        raise FormatError(source.label, "is a flat image, not a map", "give a three-dimensional map")
    voxels = header.size[0] * header.size[1] * header.size[2]
    if voxels > LARGEST:
        raise _refused(source, f"claims {_times(header.size)} voxels, more than motet reads")
    if not 0 <= header.extended <= len(source.data) - HEADER:
        raise _refused(source, f"claims an extended header of {header.extended} bytes")
    present = len(source.data) - HEADER - header.extended
    needed = voxels * np.dtype(_MODES[header.mode]).itemsize
    if present < needed:
        raise _refused(
            source, f"claims {_times(header.size)} voxels ({needed} bytes) but holds {present} bytes of them"
        )
    if min(header.sampling) < 1:
        raise _refused(source, "has no sampling (mx, my, mz), so the voxel size is not known")
    if not all(map(np.isfinite, (*header.cell, *header.origin))):
        raise _refused(source, "has a cell or an origin that is not a number")
    if not any(header.cell[:3]) or min(header.cell[:3]) <= 0 or max(header.cell[:3]) > 1e6:
        raise _refused(source, "has a cell without size, so the voxel size is not known")
    if any(header.cell[3:]) and not possible_cell(list(header.cell)):
        raise _refused(source, "has cell angles that cannot exist")
    if max(map(abs, header.origin)) > 1e6 or max(map(abs, header.start)) > 1 << 20:
        raise _refused(source, "has an origin that is out of any range")


def _is_flat(header: _Header) -> bool:
    """Whether an axis has one voxel in all; a slab of one layer cut from a larger cell is still a map."""
    order = header.axis if sorted(header.axis) == [1, 2, 3] else (1, 2, 3)
    return any(n == 1 and header.sampling[k - 1] <= 1 for n, k in zip(header.size, order, strict=True))


def _refused(source: Source, reason: str) -> FormatError:
    return FormatError(source.label, reason, _REMEDY)


def _times(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _values(header: _Header, source: Source) -> np.ndarray:
    """Values in the file's axes, slowest first, as float32."""
    columns, rows, sections = header.size
    dtype = np.dtype(header.order + _MODES[header.mode])
    raw = np.frombuffer(source.data, dtype, columns * rows * sections, HEADER + header.extended)
    values = raw.reshape(sections, rows, columns).astype(np.float32)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise _refused(source, f"has {counted(count, 'voxel')} without a number (NaN or infinity)")
    return values


def _axis_order(header: _Header, notes: Notebook) -> tuple[int, int, int]:
    """Which of x, y, z (1, 2, 3) columns, rows and sections are."""
    if sorted(header.axis) == [1, 2, 3]:
        return header.axis
    notes.add("repaired", f"mapc, mapr, maps are {_times(header.axis)}, no order of axes: taken for 1, 2, 3.")
    return (1, 2, 3)


def _to_xyz(axis: tuple[int, int, int]) -> tuple[int, int, int]:
    """Transposition from (sections, rows, columns) to (x, y, z)."""
    place = {axis[0]: 2, axis[1]: 1, axis[2]: 0}
    return (place[1], place[2], place[3])


def _axes(header: _Header) -> np.ndarray:
    """Rows: the step along x, y, z in Å; the cell's a along x and b in the xy plane."""
    lengths = np.array(header.cell[:3]) / np.array(header.sampling)
    angles = np.deg2rad(header.cell[3:] if any(header.cell[3:]) else (90.0, 90.0, 90.0))
    if np.allclose(header.cell[3:], 90.0, atol=1e-4) or not any(header.cell[3:]):
        return np.diag(lengths)
    alpha, beta, gamma = np.cos(angles)
    sine = np.sin(angles[2])
    across = (alpha - beta * gamma) / sine
    unit = [[1, 0, 0], [gamma, sine, 0], [beta, across, np.sqrt(max(1 - beta**2 - across**2, 1e-12))]]
    return np.array(unit) * lengths[:, None]


def _origin(header: _Header, start: np.ndarray, axes: np.ndarray, notes: Notebook) -> np.ndarray:
    """ORIGIN where it is set, else nstart; where both are and disagree, ORIGIN wins, as in ChimeraX."""
    by_start, by_origin = start @ axes, np.array(header.origin)
    if not by_origin.any():
        return by_start
    if start.any() and np.abs(by_start - by_origin).max() > 0.5 * np.linalg.norm(axes, axis=-1).min():
        notes.add(
            "warning",
            f"nstart puts the first voxel at {_point(by_start)} Å, ORIGIN at {_point(by_origin)} Å: ORIGIN it is.",
        )
    return by_origin


def _point(place: np.ndarray) -> str:
    return "(" + ", ".join(f"{x:.2f}" for x in place.tolist()) + ")"


def _remark(header: _Header, density: np.ndarray, notes: Notebook) -> None:
    if not any(header.cell[3:]):
        notes.add("repaired", "the cell angles are 0: taken for 90 degrees.")
    elif not np.allclose(header.cell[3:], 90.0, atol=1e-3):
        angles = ", ".join(f"{angle:.1f}" for angle in header.cell[3:])
        notes.add("kept", f"the cell is oblique ({angles} degrees): `axes` has the true steps.")
    if header.space_group == 0:
        notes.add("warning", "the header says that this is a stack of images (space group 0): read as one volume.")
    elif header.space_group > 400:
        notes.add(
            "warning", f"the header says that this is a stack of volumes (space group {header.space_group})."
        )
    elif header.space_group not in (0, 1):
        notes.add("kept", f"a crystal map (space group {header.space_group}): symmetry is not applied.")
    if (
        tuple(header.sampling[k - 1] for k in header.axis if k in (1, 2, 3)) != header.size
        and header.space_group > 1
    ):
        notes.add("kept", "the map covers a part of the unit cell.")
    if not density.any() or density.min() == density.max():
        notes.add("warning", "all voxels have the same value: there is no density.")
    elif _is_negated(density):
        notes.add(
            "warning", "the density points downwards (contrast is inverted): multiply it by -1 before fitting."
        )


def _is_negated(density: np.ndarray) -> bool:
    """Whether nothing is above zero, or the strong values are the negative ones (skewness)."""
    centred = density.astype(np.float64) - density.mean(dtype=np.float64)
    scale = centred.std()
    return bool(density.max() <= 0 or (scale > 0 and ((centred / scale) ** 3).mean() < SKEWED))
