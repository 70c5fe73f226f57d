"""`motet minimise`: to the nearest local minimum of the force field."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature


def minimise(
    structure: Input,
    out: Out = None,
    tolerance: Annotated[float, typer.Option("--tolerance", help="RMS gradient to stop at, in kcal/mol/Å.")] = 0.1,
    max_steps: Annotated[int, typer.Option("--max-steps", help="Steps to stop at.")] = 2000,
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    seed: Seed = 0,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Minimise the energy of a structure; every model of a file converges on its own.

    Writes minimised.pdb (or .cif) and run.json into the output directory.

    Example: motet minimise examples/1l2y.pdb -o 1l2y-minimised
    """
    from .batch import device_named, for_each

    where = device_named(device)
    arguments = {
        "structure": str(structure),
        "tolerance": tolerance,
        "max_steps": max_steps,
        "temperature": temperature,
        "salt": salt,
        "ph": ph,
    }

    def work(path: Path, directory: Path) -> dict[str, Any]:
        from .batch import claim

        claim(directory, overwrite)
        return _minimise(path, directory, arguments, seed, where, as_json)

    for_each(structure, out, "minimised", work, as_json)


def _minimise(
    path: Path, directory: Path, arguments: dict[str, Any], seed: int, device: str, as_json: bool
) -> dict[str, Any]:
    from ..ensemble import minimise as descend
    from ..ensemble.run_record import RunRecord
    from ..forcefield import ForceField
    from ..geometry import rmsd
    from ..io import write
    from .batch import digest
    from .console import Meter, table
    from .loading import load_prepared

    began = time.perf_counter()
    loaded = load_prepared(path, device)
    conditions = {"temperature": arguments["temperature"], "ionic_strength": arguments["salt"] / 1000.0}
    system = ForceField().to(device).bind(loaded, ph=arguments["ph"], **conditions)
    start = system(loaded.coords).detach()
    with Meter("minimising") as meter:
        result = descend(
            system,
            loaded.coords,
            mobile=system.mobile,
            tolerance=arguments["tolerance"],
            max_steps=arguments["max_steps"],
            progress=lambda step, _: meter.advance(step, arguments["max_steps"]),
        )
    moved = rmsd(result.coords, loaded.coords)
    suffix = ".pdb" if all(len(chain) <= 1 for chain in loaded.topology.chain_ids) else ".cif"
    directory.mkdir(parents=True, exist_ok=True)
    write(loaded.with_coords(result.coords).to("cpu"), directory / f"minimised{suffix}", overwrite=True)
    columns = [start, result.energies, moved, result.gradient_rms, result.steps, result.converged]
    header = ["start", "end", "moved", "gradient", "steps", "converged"]
    models = [
        dict(zip(header, row, strict=True))
        for row in zip(*(one.reshape(-1).tolist() for one in columns), strict=True)
    ]
    if not as_json:
        rows = [
            [
                str(i + 1),
                *(f"{model[key]:.2f}" for key in header[:3]),
                f"{model['gradient']:.3f}",
                str(model["steps"]),
                "yes" if model["converged"] else "no",
            ]
            for i, model in enumerate(models)
        ]
        units = ["start kcal/mol", "end kcal/mol", "moved Å", "gradient kcal/mol/Å", "steps", "converged"]
        table(loaded.name, ["model", *units], rows)
    RunRecord(
        command="minimise",
        arguments=arguments,
        seed=seed,
        device=device,
        inputs={path.name: digest(path)},
        timings={"total": round(time.perf_counter() - began, 3)},
        notes=tuple((one.kind, one.text) for one in loaded.notes),
    ).save(directory / "run.json")
    return {"name": loaded.name, "out": str(directory), "models": models}
