"""DCD: the trajectory of CHARMM and NAMD. Ångströms inside and outside, float32, not packed.

Our own reader: frames have one size, so the header can be held against the size of the file before anything is
allocated, and equal coordinates give equal bytes (the usual C plugin writes the date and stray memory).
Source: the record layout as CHARMM documents it, `dcd` in the VMD plugin manual.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError, TopologyMismatchError

FRAMES_AT_ONCE = 64
_REMEDY = "copy it again, or convert it with its own program"
_CELL_BYTES = 56  # a record of six float64 and its two length marks


@dataclass(frozen=True)
class _Layout:
    """Where the frames are.

    Args:
        order: `<` or `>`.
        start: Byte of the first frame.
        atoms: Atoms in a frame.
        before: Bytes of a frame before its coordinates (the unit cell).
        after: Bytes behind them (a fourth dimension).
    """

    order: str
    start: int
    atoms: int
    before: int
    after: int

    @property
    def frame_bytes(self) -> int:
        return self.before + 3 * (4 * self.atoms + 8) + self.after


def frames(path: Path, label: str, atoms: int, stride: int) -> Iterator[NDArray[np.float32]]:
    """Coordinates in Å, `frames atoms 3`, a few frames at a time.

    Raises:
        FormatError: The file is damaged or cut off.
        TopologyMismatchError: It holds another number of atoms.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        layout = _layout(file.read(1 << 20), label)
        if layout.atoms != atoms:
            raise TopologyMismatchError(atoms, layout.atoms, label)
        count, rest = divmod(size - layout.start, layout.frame_bytes)
        if rest:
            raise FormatError(label, f"is cut off in its frame {count + 1}", _REMEDY)
        for first in range(0, count, FRAMES_AT_ONCE * stride):
            wanted = range(first, min(first + FRAMES_AT_ONCE * stride, count), stride)
            yield np.stack([_frame(file, layout, index, label) for index in wanted])


def _layout(head: bytes, label: str) -> _Layout:
    for order in "<>":
        if head[:8] == struct.pack(f"{order}i4s", 84, b"CORD"):
            break
    else:
        raise FormatError(label, "is not a DCD trajectory", "give an XTC or DCD file")
    try:
        control = struct.unpack_from(f"{order}20i", head, 8)
        title = struct.unpack_from(f"{order}i", head, 92)[0]
        if not 0 <= title < len(head) - 120:
            raise FormatError(label, "has a damaged DCD header", _REMEDY)
        mark, atoms, end = struct.unpack_from(f"{order}3i", head, 100 + title)
    except struct.error:
        raise FormatError(label, "is cut off in its header", _REMEDY) from None
    if mark != 4 or end != 4 or atoms <= 0:
        raise FormatError(label, "has a damaged DCD header", _REMEDY)
    if control[8]:
        raise FormatError(label, "holds fixed atoms only once", "write it again with all atoms in each frame")
    charmm = control[19] != 0
    cell = _CELL_BYTES if charmm and control[10] else 0
    fourth = 4 * atoms + 8 if charmm and control[11] else 0
    return _Layout(order, 112 + title, atoms, cell, fourth)


def _frame(file, layout: _Layout, index: int, label: str) -> NDArray[np.float32]:
    file.seek(layout.start + index * layout.frame_bytes + layout.before)
    size = 4 * layout.atoms
    records = np.frombuffer(file.read(3 * (size + 8)), dtype=f"{layout.order}i4").reshape(3, layout.atoms + 2)
    if (records[:, [0, -1]] != size).any():
        raise FormatError(label, f"has a damaged frame {index + 1}", _REMEDY)
    axes = np.ascontiguousarray(records[:, 1:-1]).view(f"{layout.order}f4")
    return np.ascontiguousarray(axes.T, dtype=np.float32)


def write_frames(path: Path, coords: NDArray[np.float32]) -> None:
    """Coordinates in Å, `frames atoms 3`, little-endian, in CHARMM's layout without a cell."""
    count, atoms = coords.shape[:2]
    control = [0] * 20
    control[0], control[1], control[2], control[3], control[19] = count, 1, 1, count, 24
    titles = b"Written by motet, in angstroms".ljust(80)
    with path.open("wb") as file:
        file.write(struct.pack("<i4s9if10ii", 84, b"CORD", *control[:9], 1.0, *control[10:], 84))
        file.write(struct.pack("<ii80si", 84, 1, titles, 84))
        file.write(struct.pack("<3i", 4, atoms, 4))
        for start in range(0, count, FRAMES_AT_ONCE):
            part = np.asarray(coords[start : start + FRAMES_AT_ONCE], dtype="<f4").transpose(0, 2, 1)
            records = np.full((len(part), 3, atoms + 2), 4 * atoms, dtype="<i4")
            records[:, :, 1:-1] = np.ascontiguousarray(part).view("<i4")
            file.write(records.tobytes())
