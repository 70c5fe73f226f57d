"""Rounds of a run kept on disk as they finish, so that the same command goes on where it was stopped."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import ResumeError
from ..io import atomic_write, write_text

_FOLDER = ".motet-parts"
_MANIFEST = "manifest.json"


def own_parts(directory: Path, request: Mapping[str, Any]) -> Path:
    """The folder in which a run keeps its parts until it is done; from now on it is this request's.

    Args:
        directory: Output directory of the run.
        request: What must be equal for two runs to be the same, as JSON can hold it.

    Raises:
        ResumeError: The parts that are there belong to another request.
    """
    folder = directory / _FOLDER
    manifest = folder / _MANIFEST
    wanted = json.loads(json.dumps(request, sort_keys=True))
    if not manifest.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(manifest, json.dumps(wanted, indent=2, sort_keys=True), overwrite=True)
        return folder
    try:
        found = json.loads(manifest.read_text())
    except ValueError:
        found = {}
    if found != wanted:
        changed = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        raise ResumeError(directory, tuple(changed))
    return folder


def has_parts(directory: Path) -> bool:
    """Whether an unfinished run left parts in its output directory."""
    return (directory / _FOLDER).exists()


def drop_parts(directory: Path) -> None:
    """Drop the parts of a run: its results are written, or nobody wants them."""
    shutil.rmtree(directory / _FOLDER, ignore_errors=True)


def drop_idle_parts(directory: Path) -> None:
    """Drop parts that hold no work, as of a request that was refused, and a directory that is empty then."""
    folder = directory / _FOLDER
    if not folder.exists() or any(one.name != _MANIFEST and one.stat().st_size for one in folder.iterdir()):
        return
    drop_parts(directory)
    if not any(directory.iterdir()):
        directory.rmdir()


@dataclass(frozen=True)
class Checkpoint:
    """The finished rounds of one run; a run is what its manifest says (input, settings, seed, version).

    Args:
        directory: Output directory of the run; parts live in a hidden folder in it until the run is done.
        manifest: What must be equal for two runs to be the same.
    """

    directory: Path
    manifest: Mapping[str, Any]

    def open(self) -> int:
        """Begin or go on: the number of rounds that are there already.

        Raises:
            ResumeError: The parts that are there belong to another run.
        """
        own_parts(self.directory, self.manifest)
        rounds = 0
        while self._part(rounds).exists():
            rounds += 1
        return rounds

    def write(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep one finished round."""
        # Copies: safetensors refuses tensors that share memory.
        apart = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
        with atomic_write(self._part(index), overwrite=True) as temporary:
            save_file(apart, temporary)

    def read(self, index: int) -> dict[str, Tensor]:
        """One finished round."""
        return load_file(self._part(index))

    def close(self) -> None:
        """Drop the parts: the results are written."""
        drop_parts(self.directory)

    def _part(self, index: int) -> Path:
        return self.directory / _FOLDER / f"{index:06d}.safetensors"
