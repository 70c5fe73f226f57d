"""`motet report`: make the page of an ensemble anew."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Seed


def report(
    directory: Annotated[Path, typer.Argument(help="Directory that `motet ensemble` wrote.", show_default=False)],
    seed: Seed = 0,
) -> None:
    """Analyse an ensemble again and write its report.html, tables and views.

    Example: motet report 1l2y-ensemble
    """
    from ..ensemble import analyse, load
    from ..ensemble.run_record import RunRecord
    from .console import say
    from .results import write_results

    record = RunRecord.load(directory / "run.json")
    write_results(analyse(load(directory), seed), record, directory)
    say(f"wrote {directory / 'report.html'}")
