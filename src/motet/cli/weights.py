"""`motet weights`: the networks' weights that this machine has."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from .options import AsJson, Overwrite

if TYPE_CHECKING:
    from ..fold import WeightsRecord

weights = typer.Typer(
    help="Weights of networks: add files you have, fetch the official ones, list and export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Chosen: TypeAlias = Annotated[
    list[str] | None, typer.Option("--model", help="Model, such as model_3_ptm; may be repeated.")
]
COLLECTION = "alphafold2"


@weights.command()
def add(
    file: Annotated[Path, typer.Argument(help="Official .npz, or the official .tar archive.", show_default=False)],
    model: Chosen = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Convert parameters of AlphaFold2 that you have, and keep them with their SHA-256.

    They go to $MOTET_HOME, or to the cache of the user. A damaged file, or one of another model, is refused.

    Example: motet weights add params_model_3_ptm.npz
    """
    from ..errors import ConfigError, FormatError
    from ..fold import PRESETS, archive, store
    from .console import Meter

    if not file.exists():
        raise FormatError(file, "no such file", "check the name")
    if file.suffix == ".tar":
        with Meter("unpacking, MB") as meter:
            found = archive.add_archive(
                file, tuple(model or PRESETS), _in_megabytes(meter.advance), overwrite=overwrite
            )
    elif model and len(model) > 1:
        raise ConfigError(f"--model is given {len(model)} times, but {file.name} holds one model.")
    else:
        found = (store.add(file, model[0] if model else None, overwrite=overwrite),)
    _show(found, as_json)


@weights.command()
def fetch(
    collection: Annotated[str, typer.Argument(help="What to fetch: alphafold2.", show_default=False)],
    model: Chosen = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Download DeepMind's parameters of AlphaFold2 (CC BY 4.0), check and convert them.

    The archive has 5 GB and is read as a stream: only one file at a time touches the disk, and the download ends
    when the models asked for (all ten, when none is named) have come by.

    Example: motet weights fetch alphafold2 --model model_3_ptm
    """
    from ..errors import ConfigError
    from ..fold import PRESETS, archive, store
    from ..fold.weights import LICENCE
    from .console import Meter, say

    if collection != COLLECTION:
        raise ConfigError(f"{collection!r} cannot be fetched; there is {COLLECTION}.")
    for name in model or ():
        store.place_of(name)
    say(f"fetching {archive.URL}")
    say(f"the parameters are under {LICENCE}, https://creativecommons.org/licenses/by/4.0/")
    with Meter("fetching, MB") as meter:
        found = archive.fetch(tuple(model or PRESETS), _in_megabytes(meter.advance), overwrite=overwrite)
    _show(found, as_json)


@weights.command(name="list")
def list_() -> None:
    """List the weights that are there, with their origin and hash.

    Example: motet weights list
    """
    from ..fold import store
    from .console import say

    found = store.stored()
    if not found:
        say(f"no weights in {store.folder()}; `motet weights add --help` says how they come there.")
        return
    say(f"in {store.folder()}")
    _show(found, as_json=False)


@weights.command()
def export(
    model: Annotated[str, typer.Argument(help="Model, such as model_3_ptm.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Official file to write.", show_default=False)],
    overwrite: Overwrite = False,
) -> None:
    """Write weights in the official layout again: every array is bit by bit what it was.

    Example: motet weights export model_3_ptm -o params_model_3_ptm.npz
    """
    from ..fold import store
    from .console import say

    store.export(model, out, overwrite=overwrite)
    say(f"wrote {out}")


def _in_megabytes(advance: Callable[[int, int], None]) -> Callable[[int, int], None]:
    return lambda done, in_all: advance(done >> 20, max(in_all >> 20, 1))


def _show(found: "tuple[WeightsRecord, ...]", as_json: bool) -> None:
    from dataclasses import asdict

    from .console import table

    if as_json:
        json.dump([asdict(one) for one in found], sys.stdout, indent=2, sort_keys=True)
        print()
        return
    rows = [[one.model, one.source, one.source_sha256[:16], one.sha256[:16], one.licence] for one in found]
    table("weights", ["model", "from", "SHA-256 of it", "SHA-256", "licence"], rows)
