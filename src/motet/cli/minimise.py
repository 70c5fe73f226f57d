"""`motet minimise`: to the nearest local minimum of the force field."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature, Threads

if TYPE_CHECKING:
    from ..forcefield import System
    from ..shapes import Energy
    from ..structure import Structure
    from .run import Run

Models: TypeAlias = list[dict[str, float | int | bool]]


def minimise(
    structure: Input,
    out: Out = None,
    tolerance: Annotated[float, typer.Option("--tolerance", help="RMS gradient to stop at, in kcal/mol/Å.")] = 0.1,
    max_steps: Annotated[int, typer.Option("--max-steps", help="Steps to stop at.")] = 2000,
    restrain: Annotated[
        float,
        typer.Option("--restrain", help="Stiffness of springs to the start, in kcal/mol/Å²; 0 is free.", min=0),
    ] = 0.0,
    restrained: Annotated[
        str, typer.Option("--restrained", help="Atoms that --restrain holds, as a selection.")
    ] = "heavy",
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Minimise the energy of a structure; every model of a file converges on its own.

    Writes minimised.pdb (or .cif), run.json and cite.bib into the output directory.

    Example: motet minimise examples/1l2y.pdb -o 1l2y-minimised
    """
    from .batch import machine
    from .run import Request

    where = machine(device, threads)
    arguments = {
        "structure": str(structure),
        "tolerance": tolerance,
        "max_steps": max_steps,
        "restrain": restrain,
        "restrained": restrained,
        "temperature": temperature,
        "salt": salt,
        "ph": ph,
        "threads": threads,
    }

    def work(path: Path, run: "Run") -> dict[str, Any]:
        from ..report.literature import FORCE_FIELD, write_citations
        from .loading import bound, load_prepared

        loaded = load_prepared(path, where)
        run.note(loaded.notes)
        system = bound(loaded, where, temperature, salt, ph)
        energy = _held(loaded, system, restrain, restrained)
        models = _minimise(loaded, system, energy, run.directory, tolerance, max_steps)
        write_citations(run.directory, FORCE_FIELD)
        if not run.quiet:
            _show(loaded.name, models)
        return {"name": loaded.name, "out": str(run.directory), "models": models}

    request = Request(
        command="minimise", arguments=arguments, seed=seed, device=where, overwrite=overwrite, as_json=as_json
    )
    request.each(structure, out, "minimised", work)


COLUMNS = {
    "start": "start kcal/mol",
    "end": "end kcal/mol",
    "moved": "moved Å",
    "gradient": "gradient kcal/mol/Å",
    "steps": "steps",
    "converged": "converged",
}


def _held(loaded: "Structure", system: "System", stiffness: float, selection: str) -> "Energy":
    """The system, with springs on the selected atoms where a stiffness is given."""
    import torch

    from ..ensemble import held_to_start

    if not stiffness:
        return system
    loaded.select(selection)  # says so when nothing is
    atoms = torch.from_numpy(loaded.mask(selection)).to(loaded.coords.device)
    return held_to_start(system, loaded.coords, stiffness, atoms)


def _minimise(
    loaded: "Structure", system: "System", energy: "Energy", directory: Path, tolerance: float, max_steps: int
) -> Models:
    """Minimise every model, write them, and say of each where it ended: energies are the force field's alone."""
    from ..ensemble import minimise as descend
    from ..geometry import rmsd
    from ..io import suffix_for, write
    from .console import Meter

    start = system(loaded.coords).detach()
    with Meter("minimising") as meter:
        result = descend(
            energy,
            loaded.coords,
            mobile=system.mobile,
            tolerance=tolerance,
            max_steps=max_steps,
            progress=lambda step, _: meter.advance(step, max_steps),
        )
    directory.mkdir(parents=True, exist_ok=True)
    minimised = loaded.with_coords(result.coords).to("cpu")
    write(minimised, directory / f"minimised{suffix_for(loaded)}", overwrite=True)
    moved = rmsd(result.coords, loaded.coords)
    columns = (start, system(result.coords).detach(), moved, result.gradient_rms, result.steps, result.converged)
    rows = zip(*(column.reshape(-1).tolist() for column in columns), strict=True)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _show(name: str, models: Models) -> None:
    from .console import table

    rows = [
        [str(index), *(f"{value:.3f}" if isinstance(value, float) else str(value) for value in model.values())]
        for index, model in enumerate(models, start=1)
    ]
    table(name, ["model", *COLUMNS.values()], rows)
