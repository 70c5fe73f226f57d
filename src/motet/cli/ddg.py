"""`motet ddg`: what mutations do to the stability of a protein."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature, Threads

if TYPE_CHECKING:
    from ..ensemble.ddg import StabilityChange, StabilityModel
    from ..structure import Structure
    from .run import Run

SHOWN = 40  # rows of the table on the terminal
COLUMNS = 5  # terms in it, those that say most
MANY = 400  # mutants: from here on it is said what they will cost
SECONDS_EACH = 0.15  # of one core


def ddg(
    structure: Input,
    mutation: Annotated[
        list[str] | None,
        typer.Option(
            "--mutation", "-m", help="A:L14A; repeat it for more, join with commas what happens at once."
        ),
    ] = None,
    mutations: Annotated[
        Path | None, typer.Option("--mutations", help="CSV with a column mutation (and chain), a mutant a row.")
    ] = None,
    scan: Annotated[
        list[str] | None, typer.Option("--scan", help="All nineteen at a place: A:14; repeat it, or all.")
    ] = None,
    physics_only: Annotated[
        bool, typer.Option("--physics-only", help="The force field's terms alone, without the learned site model.")
    ] = False,
    out: Out = None,
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write ddg.parquet, too (needs pyarrow).")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Change of stability by mutations, in kcal/mol, term by term; positive destabilises.

    Writes ddg.csv, run.json, cite.bib and, for a scan, heatmap.png and heatmap.html into the output directory. A
    stopped run goes on where it was. The first model of a file counts.

    Example: motet ddg examples/1l2y.pdb --mutation A:L7A --scan A:6
    """
    from ..ensemble.ddg import parse_mutants, read_mutants
    from ..errors import ConfigError
    from .batch import machine
    from .run import Request

    named = parse_mutants(mutation or []) + (read_mutants(mutations) if mutations else [])
    if not (named or scan):
        raise ConfigError("nothing to mutate: give --mutation A:L14A, --mutations FILE.csv or --scan A:14.")
    where = machine(device, threads)
    arguments = {
        "structure": str(structure),
        "mutation": mutation or [],
        "mutations": str(mutations or ""),
        "scan": scan or [],
        "physics_only": physics_only,
        "temperature": temperature,
        "salt": salt,
        "ph": ph,
        "parquet": parquet,
        "threads": threads,
    }

    def work(path: Path, run: "Run") -> dict[str, Any]:
        from ..ensemble.ddg import StabilityModel, saturation
        from .loading import conditions_of, first_model, load_prepared

        loaded = first_model(load_prepared(path, where))
        run.note(loaded.notes)
        mutants = [*named, *(one for place in scan or [] for one in saturation(loaded, place))]
        conditions = conditions_of(temperature, salt, ph)
        model = StabilityModel(with_sites=not physics_only, conditions=conditions, seed=seed)
        changes = _predicted(loaded, mutants, model, run)
        _write(loaded, changes, run.directory, parquet, bool(scan))
        if not run.quiet:
            _show(loaded.name, changes)
        return _summary(loaded.name, changes, run.directory)

    request = Request(
        command="ddg", arguments=arguments, seed=seed, device=where, overwrite=overwrite, as_json=as_json
    )
    request.each(structure, out, "ddg", work, beside=(mutations,) if mutations else ())


def _predicted(
    loaded: "Structure",
    mutants: list[tuple[str, ...]],
    model: "StabilityModel",
    run: "Run",
) -> "list[StabilityChange]":
    """All answers, those of an earlier, stopped run among them."""
    from ..ensemble.ddg import AT_ONCE, Journal, each_stability_change
    from .console import Meter, say

    journal = Journal(run.directory, run.record.request)
    changes = journal.read()
    # Whole batches: what goes on ends with the bytes of what never stopped.
    known = len(changes) // AT_ONCE * AT_ONCE
    del changes[known:]
    journal.keep(changes)
    if known:
        say(f"going on after {known} of {len(mutants)} mutants")
    elif len(mutants) > MANY:
        minutes = len(mutants) * SECONDS_EACH / 60
        say(f"{len(mutants)} mutants, about {minutes:.0f} minutes; stopped, it can go on from where it was")
    with Meter("mutating") as meter:
        for change in each_stability_change(loaded, mutants[known:], model):
            journal.add(change)
            changes.append(change)
            meter.advance(len(changes), len(mutants))
    return changes


def _write(
    loaded: "Structure", changes: "list[StabilityChange]", directory: Path, parquet: bool, scanned: bool
) -> None:
    from ..ensemble.ddg import write_changes, write_changes_parquet
    from ..report.literature import STABILITY, write_citations

    write_changes(changes, directory / "ddg.csv")
    if parquet:
        write_changes_parquet(changes, directory / "ddg.parquet")
    if scanned:
        from ..report.heat_map import write_heat_map

        write_heat_map(changes, loaded.name, directory)
    write_citations(directory, STABILITY)


def _show(name: str, changes: "list[StabilityChange]") -> None:
    from .console import say, table

    names = list(changes[0].parts)
    largest = sorted(names, key=lambda part: -max(abs(one.parts[part]) for one in changes))[:COLUMNS]
    rows = [
        [",".join(one.mutations), f"{one.ddg:+.2f}", *(f"{one.parts[part]:+.2f}" for part in largest)]
        for one in changes[:SHOWN]
    ]
    table(name, ["mutation", "ΔΔG kcal/mol", *(part.replace("_", " ") for part in largest)], rows)
    if len(changes) > SHOWN:
        say(f"and {len(changes) - SHOWN} more in ddg.csv")


def _summary(name: str, changes: "list[StabilityChange]", directory: Path) -> dict[str, Any]:
    return {
        "name": name,
        "out": str(directory),
        "unit": "kcal/mol",
        "changes": [{"mutation": ",".join(one.mutations), "ddg": one.ddg, "parts": one.parts} for one in changes],
    }
