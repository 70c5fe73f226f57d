"""What a long scan has found so far, kept line by line, so that it can go on from there."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...io import write_text
from ..checkpoint import own_parts
from .prediction import StabilityChange


class Journal:
    """Answers to one request, in order, among the parts of its run.

    Args:
        directory: Output directory of the run.
        request: What was asked, as JSON can hold it; another request may not go on from here.

    Raises:
        ResumeError: The directory holds another request's answers.
    """

    def __init__(self, directory: Path, request: dict[str, Any]) -> None:
        self._lines = own_parts(directory, request) / "changes.jsonl"

    def read(self) -> list[StabilityChange]:
        """The answers so far; a line that was cut off in the middle does not count, nor what follows it."""
        found: list[StabilityChange] = []
        for line in self._lines.read_text().splitlines() if self._lines.exists() else ():
            try:
                entry = json.loads(line)
                found.append(StabilityChange(tuple(entry["mutations"]), entry["ddg"], entry["parts"]))
            except (ValueError, KeyError, TypeError):
                break
        return found

    def keep(self, changes: list[StabilityChange]) -> None:
        """Start the file anew with these answers."""
        write_text(self._lines, "".join(json.dumps(asdict(one)) + "\n" for one in changes), overwrite=True)

    def add(self, change: StabilityChange) -> None:
        """One more answer."""
        with self._lines.open("a") as sink:
            sink.write(json.dumps(asdict(change)) + "\n")
