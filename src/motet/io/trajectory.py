"""Trajectories, whichever their format: frames of one topology's atoms, in Å."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError, FormatError
from ..shapes import Coords
from ..structure import Topology
from . import dcd, xtc
from .notebook import shown
from .opening import PathLike
from .sniff import kind_of_data
from .writing import atomic_write

LARGEST = 1.0e6  # Å; XTC packs into 32 bits


def stream_trajectory(
    path: PathLike, topology: Topology, stride: int = 1
) -> Iterator[Float[Tensor, "frames atoms 3"]]:
    """Frames of an XTC or DCD file, in Å, a few at a time, so that a long trajectory fits in memory.

    Args:
        path: The trajectory; its content decides on the format.
        topology: The atoms; their number must be that of the file.
        stride: Every how many frames to take one.

    Raises:
        FormatError: The file is no trajectory, damaged, cut off, or holds coordinates that are not numbers.
        TopologyMismatchError: The file and the topology differ in their number of atoms.
    """
    if stride < 1:
        raise ConfigError(f"stride={stride} takes no frames; use 1 or more.")
    label = shown(path)
    reader = _reader(Path(path), label)
    for part in reader.frames(Path(path), label, topology.n_atoms, stride):
        if not np.isfinite(part).all() or np.abs(part).max(initial=0) > LARGEST:
            raise FormatError(label, "has coordinates that are not numbers", "look for where the run blew up")
        yield torch.from_numpy(part)


def read_trajectory(path: PathLike, topology: Topology, stride: int = 1) -> Float[Tensor, "frames atoms 3"]:
    """All frames of an XTC or DCD file, in Å; see `stream_trajectory`."""
    parts = list(stream_trajectory(path, topology, stride))
    if not parts:
        raise FormatError(shown(path), "holds no frames", "give a trajectory with frames")
    return torch.cat(parts)


def write_trajectory(path: PathLike, coords: Coords, overwrite: bool = False) -> None:
    """Writes XTC (exact to 0.005 Å) or DCD (exact to float32) by suffix; batch dimensions become frames.

    Raises:
        FormatError: Another suffix, no frames, or coordinates that are not finite.
        OutputExistsError: The file is already there and `overwrite` is false.
    """
    writers = {".xtc": xtc.write_frames, ".dcd": dcd.write_frames}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise FormatError(shown(path), "no trajectory format has this suffix", "use .xtc or .dcd")
    frames = coords.detach().reshape(-1, *coords.shape[-2:]).cpu().float().numpy()
    if not frames.size:
        raise FormatError(shown(path), "would hold no frames", "write at least one conformation of one atom")
    if not np.isfinite(frames).all() or np.abs(frames).max() > LARGEST:
        raise FormatError(shown(path), "would hold coordinates that are not numbers", "check what moved the atoms")
    with atomic_write(path, overwrite) as temporary:
        writers[suffix](temporary, frames)


def _reader(path: Path, label: str):
    try:
        with path.open("rb") as file:
            kind = kind_of_data(file.read(4096))
    except OSError as error:
        raise FormatError(label, f"cannot be opened ({error.strerror})", "check the path") from None
    if kind == "xtc":
        return xtc
    if kind == "dcd":
        return dcd
    raise FormatError(label, "is neither XTC nor DCD", "convert it to one of the two; unpack it if it is packed")
