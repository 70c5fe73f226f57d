"""The commands together, and what happens when one goes wrong."""

import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import MotetError
from .console import complain
from .ddg import ddg
from .energy import energy
from .ensemble import ensemble
from .fold import fold
from .info import info
from .loop import loop
from .mine import mine
from .minimise import minimise
from .phase import phase
from .refine import refine
from .report import report
from .train import train
from .validate import validate
from .weights import weights

app = typer.Typer(
    name="motet",
    help="Proteins in motion: ensembles, their weights and their states.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (ensemble, mine, fold, loop, ddg, phase, refine, validate, train, energy, minimise, info, report):
    app.command()(command)
app.add_typer(weights, name="weights")


def _print_version(wanted: bool | None) -> None:
    if wanted:
        print(f"motet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = None,
) -> None:
    """Proteins in motion: ensembles, their weights and their states.

    Example: motet ensemble examples/1l2y.pdb
    """


def main() -> None:
    """Run the command line: exit code 0 all done, 1 some inputs of a batch failed, 2 the request is wrong."""
    try:
        app()
    except MotetError as error:
        complain(str(error))
        sys.exit(2)
