"""What a long scan has found so far, kept line by line, so that it can go on from there."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...errors import ResumeError
from ...io import write_text
from .prediction import StabilityChange


class Journal:
    """Answers to one request, in order, in a directory of their own.

    Args:
        directory: Where to keep them.
        request: What was asked, as JSON can hold it; another request may not go on from here.

    Raises:
        ResumeError: The directory holds another request's answers.
    """

    def __init__(self, directory: Path, request: dict[str, Any]) -> None:
        self._lines = directory / "changes.jsonl"
        asked = directory / "request.json"
        request = json.loads(json.dumps(request))
        if asked.exists():
            before = json.loads(asked.read_text())
            changed = tuple(key for key in {**before, **request} if before.get(key) != request.get(key))
            if changed:
                raise ResumeError(directory.parent, changed)
        else:
            directory.mkdir(parents=True, exist_ok=True)
            write_text(asked, json.dumps(request, indent=2) + "\n", overwrite=True)

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
