"""`motet refine`: a model into its cryo-EM map, by the force field and the density together."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .options import AsJson, DeviceName, Input, Out, Overwrite, Seed, Threads

if TYPE_CHECKING:
    from ..density import DensityMap
    from ..ensemble.refinement import Measured, Refined, Refinement
    from ..ensemble.refinement.placing import Docking
    from ..structure import Structure
    from .run import Run

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
    from .batch import machine
    from .run import Request

    where = machine(device, threads)
    maps = (density, *(half_maps or ()))
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
        "threads": threads,
    }

    def work(path: Path, run: "Run") -> dict[str, Any]:
        from ..ensemble.refinement import RefinementPlan

        plan = RefinementPlan(
            resolution=resolution,
            weight=weight,
            docking=cast("Docking", docking),
            temperature=temperature,
            dynamics=dynamics,
        )
        job, start, loaded_map = _prepared(path, maps, plan, where, seed)
        refined = _refined(job, run)
        if not run.quiet:
            _show(refined)
        return _write(refined, start, loaded_map, resolution, run)

    request = Request(
        command="refine", arguments=arguments, seed=seed, device=where, overwrite=overwrite, as_json=as_json
    )
    request.each(model, out, "refined", work, beside=maps)


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


def _refined(job: "Refinement", run: "Run") -> "Refined":
    """Run it, or what is left of it, with its progress on the screen."""
    from .console import Meter, say

    say(f"{len(job.plan.stages) + 4} steps, each kept: stop at any moment, and the same command goes on")

    def look(name: str, found: "Measured") -> None:
        weight = f", weight {found.weight:.0f}" if found.weight else ""
        say(f"{name}: CC {found.cc_mask:.3f} (box {found.cc_box:.3f}), {found.energy:.0f} kcal/mol{weight}")

    with Meter("refining") as meter:

        def stage(name: str) -> Any:
            return lambda done, in_all, energy, cc: meter.advance(
                done, in_all, f"{name}: CC {cc:.3f}, {energy:.0f} kcal/mol"
            )

        return job.run(run.checkpoint(), stage, look, say)


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
    refined: "Refined", start: "Structure", density: "DensityMap", resolution: float, run: "Run"
) -> dict[str, Any]:
    """Model, tables and page."""
    from ..density.quality import map_quality
    from ..ensemble.refinement.exports import residue_columns, write_steps
    from ..io import suffix_for, write
    from ..report.literature import write_citations
    from ..report.validation_page import behind_validation, write_validation
    from ..validation import validated
    from ..validation.exports import write_clashes, write_residues

    directory = run.directory
    directory.mkdir(parents=True, exist_ok=True)
    structure = refined.structure.to("cpu")
    if refined.overfitting:
        structure = structure.with_notes(refined.overfitting.note)
    run.note(structure.notes)
    run.lap("total")
    write(structure, directory / f"refined{suffix_for(structure)}", overwrite=True)
    write_steps(refined, directory / "steps.csv")
    before, after = validated(start).summaries[0], validated(structure)
    quality = map_quality(structure, density, resolution)
    write_residues(after, directory / "residues.csv", residue_columns(structure, start, quality))
    write_clashes(after, directory / "clashes.csv")
    write_citations(directory, ("leimkuhler2013", *behind_validation(True)))
    write_validation(after, quality, density, run.record, directory)
    return {
        "name": structure.name,
        "out": str(directory),
        "steps": {name: asdict(found) for name, found in refined.history},
        "overfitting": refined.overfitting and asdict(refined.overfitting),
        "before": asdict(before),
        "after": asdict(after.summaries[0]),
        "q": float(quality.q.mean),
    }
