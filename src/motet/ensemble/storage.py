"""An ensemble on disk: `topology.pdb`, `samples.xtc`, `ensemble.csv`, `ensemble.json`; files other tools open."""

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from ..errors import FormatError
from ..io import atomic_write, read, read_trajectory, suffix_for, write, write_table, write_trajectory
from .ensemble import Ensemble, Provenance

_COLUMNS = ("conformation", "weight", "replica", "step", "energy")


def save(ensemble: Ensemble, directory: Path) -> None:
    """Write an ensemble into a directory, replacing what is there; each file appears whole or not at all.

    XTC keeps 0.01 Å; `ensemble.csv` has weights, replicas and energies by term in kcal/mol.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write(ensemble.structure.model(0), directory / f"topology{suffix_for(ensemble.structure)}", overwrite=True)
    write_trajectory(directory / "samples.xtc", ensemble.coords, overwrite=True)
    header = (*_COLUMNS, *ensemble.energy_terms)
    write_table(directory / "ensemble.csv", header, _rows(ensemble), overwrite=True)
    with atomic_write(directory / "ensemble.json", overwrite=True) as temporary:
        made = ensemble.provenance
        provenance = asdict(made) | {"settings": dict(made.settings), "report": dict(made.report)}
        described = {"name": ensemble.structure.name, "provenance": provenance}
        temporary.write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")


def save_parquet(ensemble: Ensemble, path: Path) -> None:
    """Write the table of `ensemble.csv` as Parquet.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow, parquet = parquet_modules()
    names = (*_COLUMNS, *ensemble.energy_terms)
    columns = list(zip(*_rows(ensemble), strict=True))
    with atomic_write(path, overwrite=True) as temporary:
        parquet.write_table(pyarrow.table(dict(zip(names, map(list, columns), strict=True))), temporary)


def load(directory: Path) -> Ensemble:
    """Read what `save` wrote.

    Raises:
        FormatError: A file is missing, or does not fit the others.
    """
    topology = next((directory / name for name in _TOPOLOGY_NAMES if (directory / name).exists()), None)
    if topology is None:
        raise FormatError(directory, "holds no topology.pdb", "name a directory that `motet ensemble` wrote")
    name, provenance = _read_description(directory / "ensemble.json")
    structure = replace(read(topology), name=name, notes=())
    coords = read_trajectory(directory / "samples.xtc", structure.topology)
    terms, table = _read_table(directory / "ensemble.csv")
    if len(table) != len(coords):
        raise FormatError(
            directory / "ensemble.csv",
            f"has {len(table)} rows where samples.xtc has {len(coords)} frames",
            "run `motet ensemble` again with --overwrite",
        )
    return Ensemble(
        structure.with_coords(coords),
        weights=(weights := table[:, 1]) / weights.sum(),
        energy_terms=terms,
        energies=table[:, len(_COLUMNS) :],
        replica=table[:, 2].long(),
        step=table[:, 3].long(),
        provenance=provenance,
    )


_TOPOLOGY_NAMES = ("topology.pdb", "topology.cif")


def _rows(ensemble: Ensemble) -> list[tuple[float | int, ...]]:
    totals = ensemble.total_energies.tolist()
    columns = (ensemble.weights.tolist(), ensemble.replica.tolist(), ensemble.step.tolist(), totals)
    return [
        (index, weight, replica, step, round(total, 4), *(round(value, 4) for value in terms))
        for index, (weight, replica, step, total, terms) in enumerate(
            zip(*columns, ensemble.energies.tolist(), strict=True)
        )
    ]


def _read_table(path: Path) -> tuple[tuple[str, ...], Tensor]:
    try:
        with path.open(newline="") as source:
            header, *rows = csv.reader(source)
        values = torch.tensor([[float(value) for value in row] for row in rows])
        if tuple(header[: len(_COLUMNS)]) != _COLUMNS or values.ndim != 2:
            raise ValueError(f"columns {', '.join(header)}")
    except (OSError, ValueError) as error:
        raise FormatError(path, f"not an ensemble table ({error})", "run `motet ensemble` again") from error
    return tuple(header[len(_COLUMNS) :]), values


def _read_description(path: Path) -> tuple[str, Provenance]:
    try:
        described = json.loads(path.read_text())
        return str(described["name"]), Provenance(**described["provenance"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FormatError(
            path, f"not an ensemble's description ({error})", "run `motet ensemble` again"
        ) from error


def parquet_modules():
    """pyarrow and its Parquet module.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        from ..errors import MissingExtraError

        raise MissingExtraError("pyarrow", "parquet") from error
    return pyarrow, parquet
