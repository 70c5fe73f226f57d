"""The frame of a command that leaves results: an earlier answer is found again, a stopped run goes on.

A finished run is known by its run.json, which comes last, and answers with its summary.json.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import MotetError, OutputExistsError
from .batch import digests, for_each, print_result, resumable
from .clock import Clock
from .console import say

if TYPE_CHECKING:
    from ..ensemble import Checkpoint
    from ..ensemble.run_record import RunRecord
    from ..structure import Note

Summary: TypeAlias = dict[str, Any]  # what --json prints
RECORD = "run.json"
SUMMARY = "summary.json"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks of a command.

    Args:
        command: Its name.
        arguments: Its settings, as run.json keeps them; `structure` is where the input lies, and may change.
        seed: Seed of its random draws.
        device: Where it computes.
        overwrite: Whether results that are there may be replaced.
        as_json: Whether the summary is printed as JSON, and no table.
    """

    command: str
    arguments: Mapping[str, Any]
    seed: int = 0
    device: str = "cpu"
    overwrite: bool
    as_json: bool

    def each(
        self,
        path: Path,
        out: Path | None,
        ending: str,
        work: "Callable[[Path, Run], Summary]",
        beside: Iterable[Path] = (),
    ) -> None:
        """Run `work(input, run)` on one input, or on each of a directory's; what lies `beside` it is read, too."""
        further = digests(*beside)

        def one(path: Path, directory: Path) -> Summary:
            return self._answer(digests(path) | further, directory, lambda run: work(path, run))

        for_each(path, out, ending, one, self.as_json)

    def once(self, inputs: Mapping[str, str], directory: Path, work: "Callable[[Run], Summary]") -> Summary:
        """Run `work(run)`; `inputs` are the SHA-256 of what is read, by name."""
        with resumable():
            summary = self._answer(inputs, directory, work)
            print_result(summary, self.as_json)
        return summary

    def _answer(self, inputs: Mapping[str, str], directory: Path, work: "Callable[[Run], Summary]") -> Summary:
        """The summary that an earlier run of the same request left, or that of `work`, which is kept.

        The same request has the same command, settings, seed, input content and version; where the input lies,
        and on which device the run was, does not matter.

        Raises:
            OutputExistsError: The directory holds other results.
        """
        from ..ensemble.checkpoint import drop_idle_parts, drop_parts
        from ..ensemble.run_record import RunRecord

        record = RunRecord(self.command, self.arguments, self.seed, self.device, inputs)
        if not self.overwrite and _is_answered(directory, record):
            say(f"{directory}: this was done already; --overwrite does it again")
            return json.loads((directory / SUMMARY).read_text())
        _claim(directory, self.overwrite)
        run = Run(directory, record, quiet=self.as_json)
        try:
            summary = work(run)
        except MotetError:
            drop_idle_parts(directory)
            raise
        run.finish(summary)
        drop_parts(directory)
        return summary


class Run:
    """One run on its way.

    Args:
        directory: Where its results go.
        record: What is run; timings and notes come as they arise.
        quiet: Whether no table is to be shown.
    """

    def __init__(self, directory: Path, record: "RunRecord", *, quiet: bool) -> None:
        self.directory, self.record, self.quiet = directory, record, quiet
        self._clock = Clock()

    def lap(self, stage: str) -> None:
        """Close a stage of the work."""
        self._clock.lap(stage)
        self.record = replace(self.record, timings=dict(self._clock.laps))

    def note(self, notes: "Iterable[Note]") -> None:
        """Put on record what was done to the input."""
        self.record = replace(self.record, notes=(*self.record.notes, *((one.kind, one.text) for one in notes)))

    def report(self, figures: Mapping[str, float]) -> None:
        """Put on record how the draws went."""
        self.record = replace(self.record, report=dict(figures))

    def parts(self) -> Path:
        """The folder of what is to be kept should the run be stopped; it is dropped in the end."""
        from ..ensemble.checkpoint import own_parts

        return own_parts(self.directory, self.record.request)

    def checkpoint(self, **found: str) -> "Checkpoint":
        """Where finished rounds are kept; what was `found` in the input must be equal, too, to go on from them."""
        from ..ensemble import Checkpoint

        return Checkpoint(self.directory, self.record.request | {"device": self.record.device} | found)

    def finish(self, summary: Summary) -> None:
        """Keep what --json prints; run.json comes last: its presence says «done»."""
        from ..io import write_text

        if not self.record.timings:
            self.lap("total")
        write_text(self.directory / SUMMARY, json.dumps(summary, indent=2, sort_keys=True) + "\n", overwrite=True)
        self.record.save(self.directory / RECORD)


def _is_answered(directory: Path, record: "RunRecord") -> bool:
    """Whether the directory holds the results of the same request."""
    from ..ensemble.run_record import RunRecord

    if not (directory / RECORD).exists() or not (directory / SUMMARY).exists():
        return False
    return RunRecord.load(directory / RECORD).request == record.request


def _claim(directory: Path, overwrite: bool) -> None:
    """Make sure that a directory may be written to: new, empty, an unfinished run's, or free to be replaced.

    Raises:
        OutputExistsError: It holds a finished run, or files that motet did not write.
    """
    from ..ensemble.checkpoint import drop_parts, has_parts

    if directory.exists() and not directory.is_dir():
        raise OutputExistsError(directory)
    if overwrite:
        drop_parts(directory)
        return
    finished = (directory / RECORD).exists()
    used = directory.exists() and any(directory.iterdir())
    if finished or (used and not has_parts(directory)):
        raise OutputExistsError(directory)
