"""`motet loop`: conformations of a loop, closed, with side chains, scored and clustered."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature, Threads

if TYPE_CHECKING:
    from ..ensemble import Analysis
    from ..ensemble.loops import LoopModels, Region
    from ..ensemble.run_record import RunRecord
    from .run import Run

SHOWN = 5


def loop(
    structure: Input,
    residues: Annotated[
        str, typer.Option("--residues", "-r", help="The loop: chain, first and last residue, as in A:12-23.")
    ],
    sequence: Annotated[
        str | None,
        typer.Option("--sequence", help="One-letter codes of the loop: needed where the file lacks it."),
    ] = None,
    out: Out = None,
    count: Annotated[int, typer.Option("-n", "--count", help="Conformations to keep.", min=1)] = 100,
    built: Annotated[
        float, typer.Option("--built", help="Closed backbones made for each one kept.", min=1.0)
    ] = 4.0,
    relaxed: Annotated[
        int, typer.Option("--relaxed", help="Conformations of lowest energy to minimise.", min=0)
    ] = 64,
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Build a loop: closed conformations with side chains, ranked and clustered.

    A loop that is in the file is taken out first, and does not help; one that is missing is built from its
    --sequence. Everything else stays as it is, and the same seed gives the same loops.

    Writes loops.csv (best first), topology.pdb, samples.xtc, states.csv, report.html, run.json and more.

    Example: motet loop examples/1l2y.pdb --residues A:8-14 -n 50 -o 1l2y-loop
    """
    from .batch import machine
    from .run import Request

    request = Request(
        command="loop",
        arguments={
            "structure": str(structure),
            "residues": residues,
            "sequence": sequence,
            "count": count,
            "built": built,
            "relaxed": relaxed,
            "temperature": temperature,
            "salt": salt,
            "ph": ph,
            "threads": threads,
        },
        seed=seed,
        device=machine(device, threads),
        overwrite=overwrite,
        as_json=as_json,
    )
    request.each(structure, out, "loop", _built)


def _built(path: Path, run: "Run") -> dict[str, Any]:
    """Build, analyse and write the loop of one input."""
    from ..ensemble import analyse, save
    from ..ensemble.loops import as_ensemble, find_region, write_loops
    from .console import say
    from .loading import first_model, load_prepared
    from .results import write_results

    asked, seed = run.record.arguments, run.record.seed
    loaded = first_model(load_prepared(path, run.record.device))
    run.note(loaded.notes)
    models = _models(find_region(loaded, asked["residues"], asked["sequence"]), run.record)
    run.lap("building and scoring")
    made = as_ensemble(models, asked["temperature"], seed)
    analysis = analyse(made, seed)
    run.lap("analysis")
    save(made, run.directory)
    write_loops(models, analysis.states, run.directory / "loops.csv")
    write_results(analysis, run.record, run.directory)
    if not run.quiet:
        _show(models, analysis)
    say(f"wrote {run.directory / 'report.html'}")
    return _summary(models, analysis, run.directory)


def _models(region: "Region", record: "RunRecord") -> "LoopModels":
    from ..ensemble.loops import Modelling, model_loop
    from ..forcefield import ForceField
    from .console import Meter
    from .loading import conditions_of

    asked = record.arguments
    settings = Modelling(seed=record.seed, **{name: asked[name] for name in ("count", "built", "relaxed")})
    conditions = conditions_of(asked["temperature"], asked["salt"], asked["ph"])
    with Meter("packing side chains") as meter:
        field = ForceField().to(record.device)
        return model_loop(region, settings, field, conditions, progress=meter.advance)


def _show(models: "LoopModels", analysis: "Analysis") -> None:
    from .console import say, table

    totals, labels = models.energies.sum(-1).tolist(), analysis.states.labels.tolist()
    favoured, scores = models.backbones.favoured.double().mean(-1).tolist(), models.score.tolist()
    rows = [
        [
            str(rank),
            f"{scores[rank]:.2f}",
            f"{totals[rank]:.1f}",
            f"{100 * favoured[rank]:.0f} %",
            str(labels[rank]),
        ]
        for rank in range(min(SHOWN, len(totals)))
    ]
    table(
        analysis.ensemble.structure.name,
        ["rank", "score", "energy kcal/mol", "Ramachandran-favoured", "state"],
        rows,
    )
    say(f"{len(totals)} conformations in {len(analysis.states)} states; loops.csv lists them, best first")


def _summary(models: "LoopModels", analysis: "Analysis", directory: Path) -> dict[str, Any]:
    totals = models.energies.sum(-1)
    return {
        "name": analysis.ensemble.structure.name,
        "out": str(directory),
        "conformations": len(totals),
        "relaxed": int(models.relaxed.sum()),
        "lowest_energy": float(totals.min()),
        "ramachandran_favoured": float(models.backbones.favoured.double().mean()),
        "states": [
            {"state": one.label, "share": one.population, "best": int(one.members.min()), "medoid": one.medoid}
            for one in analysis.states.states
        ],
    }
