"""What was run, on what, and how long it took: `run.json` beside the results."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from .. import __version__
from ..errors import FormatError
from ..io import atomic_write


@dataclass(frozen=True)
class RunRecord:
    """One run of one command.

    Args:
        command: Name of the command.
        arguments: Its arguments, defaults included.
        seed: Seed of its random draws.
        device: Device it ran on.
        inputs: SHA-256 of each input file, by name.
        timings: Seconds each stage took, over all sessions of a resumed run.
        report: How the draws went, by name: acceptance of each move, say.
        notes: What was repaired, ignored or kept, as (kind, sentence).
        version: Version of motet.
        software: Versions of what decides the numbers.
    """

    command: str
    arguments: Mapping[str, Any]
    seed: int
    device: str
    inputs: Mapping[str, str]
    timings: Mapping[str, float] = field(default_factory=dict)
    report: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
    version: str = __version__
    software: Mapping[str, str] = field(
        default_factory=lambda: {"python": platform.python_version(), "torch": torch.__version__}
    )

    @property
    def request(self) -> dict[str, Any]:
        """What must be equal for two runs to be the same; where the input lies, and on which device, need not."""
        arguments = {name: value for name, value in self.arguments.items() if name != "structure"}
        inputs, told = dict(self.inputs), {"command": self.command, "seed": self.seed, "version": self.version}
        return json.loads(json.dumps(arguments | told | {"inputs": inputs}, sort_keys=True))

    def save(self, path: Path) -> None:
        """Write as JSON, replacing what is there."""
        with atomic_write(path, overwrite=True) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> "RunRecord":
        """Read what `save` wrote.

        Raises:
            FormatError: There is no such file, or it is not a run record.
        """
        if not path.exists():
            raise FormatError(path, "no such file", "name a directory with the results of a motet run")
        try:
            fields = json.loads(path.read_text())
            fields["notes"] = tuple((str(kind), str(text)) for kind, text in fields["notes"])
            return cls(**fields)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FormatError(path, f"not a run record ({error})", "repeat the command that wrote it") from error
