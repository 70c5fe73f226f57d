"""Words for a person, on stderr: one red line for a mistake, notes, tables, and progress."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

SECONDS_BETWEEN_LINES = 10.0


def words() -> Console:
    """The console for words; results go to stdout."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """One red line."""
    words().print(f"[red]{escape(' '.join(message.split()))}[/red]")


def say(message: str) -> None:
    """One plain line."""
    words().print(escape(message))


def note(kind: str, text: str) -> None:
    """One note of what was done to the input."""
    colour = {"repaired": "yellow", "warning": "yellow", "ignored": "bright_black", "kept": "cyan"}.get(
        kind, "white"
    )
    words().print(f"  [{colour}]{kind}[/{colour}] {escape(text)}")


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A table, on stdout: for a person what --json is for a program."""
    drawn = Table(title=escape(title), title_justify="left", box=None, pad_edge=False)
    for index, column in enumerate(header):
        drawn.add_column(escape(column), justify="right" if index else "left")
    for row in rows:
        drawn.add_row(*(escape(cell) for cell in row))
    Console(highlight=False).print(drawn)


class Meter:
    """Progress of one long job: a bar on a terminal, a line now and then elsewhere.

    Use as a context manager, and call `advance(done, in_all)`.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._last = time.monotonic()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=words(),
                transient=True,
            )
            self._task = self._bar.add_task(escape(title), total=1.0)

    def __enter__(self) -> "Meter":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, done: int, in_all: int, title: str | None = None) -> None:
        """Say how far the job is; a title says what it is at now."""
        self._title = title or self._title
        if self._bar:
            self._bar.update(self._task, completed=done, total=in_all, description=escape(self._title))
        elif time.monotonic() - self._last >= SECONDS_BETWEEN_LINES or done == in_all:
            self._last = time.monotonic()
            say(f"{self._title}: {done}/{in_all}")
