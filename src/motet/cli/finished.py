"""A finished run is known by its run.json: the same request again finds its answer there."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import say

if TYPE_CHECKING:
    from ..ensemble.run_record import RunRecord

SUMMARY = "summary.json"


def answered(directory: Path, record: "RunRecord") -> dict[str, Any] | None:
    """The summary that an earlier run of the same request left, or None.

    The same request has the same command, settings, seed, input content and version; where the input lies, and on
    which device the run was, does not matter.
    """
    from ..ensemble.run_record import RunRecord

    if not (directory / "run.json").exists() or not (directory / SUMMARY).exists():
        return None
    if RunRecord.load(directory / "run.json").request != record.request or not all(record.inputs.values()):
        return None
    say(f"{directory}: this was done already; --overwrite does it again")
    return json.loads((directory / SUMMARY).read_text())


def write_summary(directory: Path, summary: dict[str, Any]) -> None:
    """Keep what --json prints beside the results."""
    from ..io import write_text

    write_text(directory / SUMMARY, json.dumps(summary, indent=2, sort_keys=True) + "\n", overwrite=True)
