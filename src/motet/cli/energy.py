"""`motet energy`: what the force field says of a structure, term by term."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Salt, Temperature, Threads

if TYPE_CHECKING:
    from ..forcefield import System
    from ..structure import Structure
    from ..structure.topology import Topology


def energy(
    structure: Input,
    per_residue: Annotated[
        Path | None, typer.Option("--per-residue", help="Write energies by residue and term to this CSV.")
    ] = None,
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the CSV if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Energy of a structure, term by term, in kcal/mol; each model of a file has a column.

    Example: motet energy examples/1l2y.pdb --json
    """
    from ..errors import ConfigError
    from .batch import for_each, machine

    where = machine(device, threads)
    if structure.is_dir() and per_residue:
        raise ConfigError("--per-residue writes one table: give one file, not a directory.")

    def work(path: Path, _: Path) -> dict[str, Any]:
        from .loading import bound, load_prepared

        loaded = load_prepared(path, where)
        system = bound(loaded, where, temperature, salt, ph)
        return _evaluate(loaded, system, per_residue, overwrite, as_json)

    for_each(structure, None, "energy", work, as_json)


def _evaluate(
    loaded: "Structure", system: "System", per_residue: Path | None, overwrite: bool, as_json: bool
) -> dict[str, Any]:
    import torch

    from .console import table

    with torch.no_grad():
        by_residue = system.table(loaded.coords.reshape(-1, loaded.n_atoms, 3))
    terms = by_residue.values.sum(-2).tolist()
    totals = [sum(model) for model in terms]
    if per_residue:
        _write_residues(per_residue, loaded, by_residue.names, by_residue.values.tolist(), overwrite)
    if not as_json:
        header = ["term", *([f"model {i + 1}" for i in range(len(terms))] if len(terms) > 1 else ["kcal/mol"])]
        columns = zip(*terms, strict=True)
        rows = [
            [name, *(f"{value:.2f}" for value in row)] for name, row in zip(by_residue.names, columns, strict=True)
        ]
        table(loaded.name, header[:9], (row[:9] for row in [*rows, ["total", *(f"{one:.2f}" for one in totals)]]))
    models = [
        {"total": total, **dict(zip(by_residue.names, model, strict=True))}
        for total, model in zip(totals, terms, strict=True)
    ]
    return {
        "name": loaded.name,
        "unit": "kcal/mol",
        "models": models,
        "notes": [vars(one) for one in loaded.notes],
    }


def _write_residues(
    path: Path, loaded: "Structure", names: tuple[str, ...], values: list[list[list[float]]], overwrite: bool
) -> None:
    from ..io import write_table

    topology = loaded.topology
    header = ["model", "chain", "number", "insertion_code", "residue", *names, "total"]
    rows = [
        [model, *_place(topology, residue), *(f"{value:.4f}" for value in row), f"{sum(row):.4f}"]
        for model, by_residue in enumerate(values, start=1)
        for residue, row in enumerate(by_residue)
    ]
    write_table(path, header, rows, overwrite=overwrite)


def _place(topology: "Topology", residue: int) -> tuple[str, int, str, str]:
    """Chain, number, insertion code and name of a residue, as in the file."""
    return (
        str(topology.chain_ids[topology.chain_of_residue[residue]]),
        int(topology.residue_numbers[residue]),
        str(topology.insertion_codes[residue]),
        str(topology.residue_names[residue]),
    )
