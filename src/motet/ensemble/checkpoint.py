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
from ..io import atomic_write

_FOLDER = ".motet-parts"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Checkpoint:
    """The finished rounds of one run; a run is what its manifest says (input, settings, seed, version).

    Args:
        directory: Output directory of the run; parts live in a hidden folder in it until the run is done.
        manifest: What must be equal for two runs to be the same.
    """

    directory: Path
    manifest: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return self.directory / _FOLDER

    def open(self) -> int:
        """Begin or go on: the number of rounds that are there already.

        Raises:
            ResumeError: The parts that are there belong to another run.
        """
        path = self.folder / _MANIFEST
        wanted = json.loads(json.dumps(self.manifest, sort_keys=True))
        if path.exists():
            try:
                found = json.loads(path.read_text())
            except ValueError:
                found = {}
            if found != wanted:
                changed = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
                raise ResumeError(self.directory, tuple(changed))
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, overwrite=True) as temporary:
                temporary.write_text(json.dumps(wanted, indent=2, sort_keys=True))
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
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, index: int) -> Path:
        return self.folder / f"{index:06d}.safetensors"
