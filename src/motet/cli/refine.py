"""`motet refine`: a model into its cryo-EM map, by the force field and the density together."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .options import AsJson, DeviceName, Input, Out, Overwrite, Seed, Threads

if TYPE_CHECKING:
    from ..density import DensityMap
    from ..ensemble.refinement import Measured, Refined, Refinement
    from ..ensemble.refinement.placing import Docking
    from ..ensemble.run_record import RunRecord
    from ..structure import Structure

DOCKING = ("auto", "always", "never")


def refine(
    model: Input,
    density: Annotated[
        Path, typer.Argument(metavar="MAP", help="Density map, MRC or CCP4, .gz too.", show_default=False)
    ],
    resolution: Annotated[
        float, typer.Option("--resolution", help="Resolution of the map, in Å.", show_default=False)
    ],
    out: Out = None,
    half_maps: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--half-maps", help="Two half maps, for the test of overfitting.", show_default=False),
    ] = None,
    docking: Annotated[
        str, typer.Option("--dock", help="auto docks what does not fit, domain by domain; always; never.")
    ] = "auto",
    weight: Annotated[
        float | None,
        typer.Option("--weight", help="Weight of 1 - CC, in kcal/mol; balanced by forces when left out."),
    ] = None,
    temperature: Annotated[
        float, typer.Option("--temperature", help="Of the annealing, in K; 0 for none.")
    ] = 600.0,
    dynamics: Annotated[int, typer.Option("--dynamics", help="Steps of dynamics a stage.")] = 300,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Refine a model against a density map: dock, move domains, anneal from 6 Å to full resolution, fit B factors.

    The model may lie elsewhere: it is docked as a rigid body; domains that do not fit are docked on their own and
    joined again at their hinges. Says whether the map was overfitted.

    Writes refined.pdb (or .cif), steps.csv, residues.csv, clashes.csv, report.html, run.json and cite.bib.

    Example: motet refine model.pdb map.mrc --resolution 3.2 -o refined
    """
    from ..errors import ConfigError
    from .batch import for_each, machine

    where = machine(device, threads)
    if docking not in DOCKING:
        raise ConfigError(f"--dock {docking}: choose {', '.join(DOCKING)}.")
    arguments = {
        "structure": str(model),
        "map": density.name,
        "resolution": resolution,
        "half_maps": [one.name for one in half_maps or ()],
        "dock": docking,
        "weight": weight,
        "temperature": temperature,
        "dynamics": dynamics,
    }

    def work(path: Path, directory: Path) -> dict[str, Any]:
        from ..ensemble.refinement import RefinementPlan
        from ..ensemble.run_record import RunRecord
        from .batch import claim, digest
        from .clock import Clock
        from .finished import answered

        plan = RefinementPlan(
            resolution=resolution,
            weight=weight,
            docking=cast("Docking", docking),
            temperature=temperature,
            dynamics=dynamics,
        )
        maps = (density, *(half_maps or ()))
        inputs = {one.name: digest(one) for one in (path, *maps)}
        record = RunRecord("refine", arguments | {"threads": threads}, seed, where, inputs)
        if not overwrite and (summary := answered(directory, record)):
            return summary
        claim(directory, overwrite)
        clock = Clock()
        job, start, loaded_map = _prepared(path, maps, plan, where, seed)
        refined, checkpoint = _run(job, record, directory)
        if not as_json:
            _show(refined)
        notes = tuple((one.kind, one.text) for one in refined.structure.notes)
        clock.lap("total")
        summary = _write(refined, start, loaded_map, replace(record, timings=clock.laps, notes=notes), directory)
        checkpoint.close()
        return summary

    for_each(model, out, "refined", work, as_json)


def _prepared(
    path: Path, maps: tuple[Path, ...], plan: Any, where: str, seed: int
) -> "tuple[Refinement, Structure, DensityMap]":
    """The refinement that is asked for, the model before it, and the map."""
    from ..density import DensityMap
    from ..ensemble.refinement import Refinement
    from .loading import bound, first_model, load_prepared, print_notes

    whole, *halves = (DensityMap.read(one).to(where) for one in maps)
    print_notes(whole.notes)
    loaded = first_model(load_prepared(path, where, stretched=True))
    system = bound(loaded, where, 298.15, 150.0, 7.0)
    pair = (halves[0], halves[1]) if halves else None
    return Refinement(loaded, system, whole, plan, pair, seed), loaded.to("cpu"), whole.to("cpu")


def _run(job: "Refinement", record: "RunRecord", directory: Path) -> "tuple[Refined, Any]":
    """Run it, or what is left of it, with its progress on the screen."""
    from ..ensemble import Checkpoint
    from .console import Meter, say

    settings = {key: value for key, value in record.arguments.items() if key != "structure"}
    what = {"version": record.version, "inputs": list(record.inputs.values()), "seed": record.seed}
    checkpoint = Checkpoint(directory, what | settings | {"device": record.device})
    say(f"{len(job.plan.stages) + 4} steps, each kept: stop at any moment, and the same command goes on")

    def look(name: str, found: "Measured") -> None:
        weight = f", weight {found.weight:.0f}" if found.weight else ""
        say(f"{name}: CC {found.cc_mask:.3f} (box {found.cc_box:.3f}), {found.energy:.0f} kcal/mol{weight}")

    with Meter("refining") as meter:

        def stage(name: str) -> Any:
            return lambda done, in_all, energy, cc: meter.advance(
                done, in_all, f"{name}: CC {cc:.3f}, {energy:.0f} kcal/mol"
            )

        return job.run(checkpoint, stage, look, say), checkpoint


def _show(refined: "Refined") -> None:
    from .console import say, table

    rows = [
        [
            name,
            *(
                f"{value:.{digits}f}"
                for value, digits in zip(asdict(found).values(), (3, 3, 0, 0, 0), strict=True)
            ),
        ]
        for name, found in refined.history
    ]
    table(refined.structure.name, ["step", "CC mask", "CC box", "kcal/mol", "mean B Å²", "weight"], rows)
    if refined.overfitting:
        say(refined.overfitting.words)


def _write(
    refined: "Refined", start: "Structure", density: "DensityMap", record: "RunRecord", directory: Path
) -> dict[str, Any]:
    """Model, tables, page and record; run.json comes last: its presence says «done»."""
    from ..density.quality import map_quality
    from ..ensemble.refinement.exports import residue_columns, write_steps
    from ..io import suffix_for, write
    from ..report.literature import write_citations
    from ..report.validation_page import behind_validation, write_validation
    from ..validation import validated
    from ..validation.exports import write_clashes, write_residues
    from .finished import write_summary

    directory.mkdir(parents=True, exist_ok=True)
    structure = refined.structure.to("cpu")
    if refined.overfitting:
        structure = structure.with_notes(refined.overfitting.note)
        record = replace(record, notes=(*record.notes, (refined.overfitting.note.kind, refined.overfitting.words)))
    write(structure, directory / f"refined{suffix_for(structure)}", overwrite=True)
    write_steps(refined, directory / "steps.csv")
    before, after = validated(start).summaries[0], validated(structure)
    quality = map_quality(structure, density, float(record.arguments["resolution"]))
    write_residues(after, directory / "residues.csv", residue_columns(structure, start, quality))
    write_clashes(after, directory / "clashes.csv")
    write_citations(directory, ("leimkuhler2013", *behind_validation(True)))
    write_validation(after, quality, density, record, directory)
    summary = {
        "name": structure.name,
        "out": str(directory),
        "steps": {name: asdict(found) for name, found in refined.history},
        "overfitting": refined.overfitting and asdict(refined.overfitting),
        "before": asdict(before),
        "after": asdict(after.summaries[0]),
        "q": float(quality.q.mean),
    }
    write_summary(directory, summary)
    record.save(directory / "run.json")
    return summary
