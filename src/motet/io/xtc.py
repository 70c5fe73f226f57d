"""XTC: GROMACS's packed trajectory. Nanometres inside, ångströms outside; written places are exact to 0.005 Å."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from biotraj import XTCTrajectoryFile
from numpy.typing import NDArray

from ..errors import FormatError, TopologyMismatchError
from ..units import ANGSTROM_PER_NM

FRAMES_AT_ONCE = 64
_MAGIC = 1995
_PLAIN = 9
_SMALL = 56  # bytes: magic, atoms, step, time, box, atoms
_HEAD = 92  # bytes: the same, precision, the range of places, their width, the size of the packed ones
_REMEDY = "copy it again, or cut it back with its own program"


def frames(path: Path, label: str, atoms: int, stride: int) -> Iterator[NDArray[np.float32]]:
    """Coordinates in Å, `frames atoms 3`, a few frames at a time.

    Raises:
        FormatError: The file is damaged or cut off.
        TopologyMismatchError: It holds another number of atoms.
    """
    _check(path, label, atoms)
    seen = 0
    try:
        with XTCTrajectoryFile(str(path), "r") as file:
            while len(xyz := file.read(n_frames=FRAMES_AT_ONCE, stride=stride)[0]):
                seen += len(xyz)
                yield xyz * np.float32(ANGSTROM_PER_NM)
    except (RuntimeError, OSError, ValueError):
        raise FormatError(label, f"is damaged behind frame {seen * stride}", _REMEDY) from None


def _check(path: Path, label: str, atoms: int) -> None:
    """Walk from header to header, so that the C library sees whole frames of the right size only."""
    size, position, frame = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(_HEAD)
            frame += 1
            if len(head) >= 8:
                magic, found = struct.unpack_from(">2i", head)
                if magic != _MAGIC:
                    raise FormatError(label, f"is damaged at frame {frame}", _REMEDY)
                if found != atoms:
                    raise TopologyMismatchError(atoms, found, label)
            position += _frame_bytes(head, atoms)
            if len(head) < _SMALL or position > size:
                raise FormatError(label, f"is cut off in its frame {frame}", _REMEDY)


def _frame_bytes(head: bytes, atoms: int) -> int:
    """Size of a frame: up to nine atoms stand there plain, more are packed behind a longer header."""
    if atoms <= _PLAIN:
        return _SMALL + 12 * atoms
    packed = struct.unpack_from(">i", head, _HEAD - 4)[0] if len(head) == _HEAD else 0
    return _HEAD + 4 * ((max(packed, 0) + 3) // 4)


def write_frames(path: Path, coords: NDArray[np.float32]) -> None:
    """Coordinates in Å, `frames atoms 3`; steps count the frames."""
    with XTCTrajectoryFile(str(path), "w") as file:
        for start in range(0, len(coords), FRAMES_AT_ONCE):
            part = coords[start : start + FRAMES_AT_ONCE] / np.float32(ANGSTROM_PER_NM)
            steps = np.arange(start, start + len(part), dtype=np.int32)
            box = np.zeros((len(part), 3, 3), dtype=np.float32)
            file.write(np.ascontiguousarray(part), time=steps.astype(np.float32), step=steps, box=box)
