"""XTC: GROMACS's packed trajectory. Nanometres inside, ångströms outside; written places are exact to 0.005 Å."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from biotraj import XTCTrajectoryFile
from numpy.typing import NDArray

from ..errors import FormatError, TopologyMismatchError
from ..units import ANGSTROM_PER_NM

FRAMES_AT_ONCE = 64


def frames(path: Path, label: str, atoms: int, stride: int) -> Iterator[NDArray[np.float32]]:
    """Coordinates in Å, `frames atoms 3`, a few frames at a time.

    Raises:
        FormatError: The file is damaged or cut off.
        TopologyMismatchError: It holds another number of atoms.
    """
    with path.open("rb") as file:
        found = int.from_bytes(file.read(8)[4:], "big", signed=True)
    if found != atoms:
        raise TopologyMismatchError(atoms, found, label)
    seen = 0
    try:
        with XTCTrajectoryFile(str(path), "r") as file:
            while len(xyz := file.read(n_frames=FRAMES_AT_ONCE, stride=stride)[0]):
                seen += len(xyz)
                yield xyz * np.float32(ANGSTROM_PER_NM)
    except (RuntimeError, OSError, ValueError):
        reason = f"is damaged or cut off after frame {seen * stride} or a little later"
        raise FormatError(label, reason, "copy it again, or cut it back with its own program") from None


def write_frames(path: Path, coords: NDArray[np.float32]) -> None:
    """Coordinates in Å, `frames atoms 3`; steps count the frames."""
    with XTCTrajectoryFile(str(path), "w") as file:
        for start in range(0, len(coords), FRAMES_AT_ONCE):
            part = coords[start : start + FRAMES_AT_ONCE] / np.float32(ANGSTROM_PER_NM)
            steps = np.arange(start, start + len(part), dtype=np.int32)
            box = np.zeros((len(part), 3, 3), dtype=np.float32)
            file.write(np.ascontiguousarray(part), time=steps.astype(np.float32), step=steps, box=box)
