"""`motet validate`: is a model sound, and does it fit its map?"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, Input, Out, Overwrite, Threads

if TYPE_CHECKING:
    from ..density import DensityMap
    from ..density.quality import MapQuality
    from ..ensemble.run_record import RunRecord
    from ..structure import Structure
    from ..validation import Validation
    from .run import Run

COLUMNS = {
    "ramachandran_favoured": "Ramachandran favoured (%)",
    "ramachandran_outliers": "Ramachandran outliers (%)",
    "rotamer_favoured": "rotamers favoured (%)",
    "rotamer_outliers": "rotamer outliers (%)",
    "clashscore": "clashscore",
    "molprobity_score": "MolProbity score",
    "cbeta_outliers": "Cβ outliers",
    "bond_outliers": "bond outliers",
    "angle_outliers": "angle outliers",
    "bond_rmsd": "bonds, rms (Å)",
    "angle_rmsd_degrees": "angles, rms (degrees)",
    "cis_peptides": "cis peptides, not Pro",
    "twisted_peptides": "twisted peptides",
    "mirrored": "centres of the wrong hand",
}
DECIMALS = {"bond_rmsd": 4}
MOST_SHOWN = 8  # models side by side on a screen


def validate(
    model: Input,
    density: Annotated[
        Path | None, typer.Argument(metavar="[MAP]", help="Density map, MRC or CCP4, .gz too.", show_default=False)
    ] = None,
    resolution: Annotated[
        float | None, typer.Option("--resolution", help="Resolution of the map, in Å.", show_default=False)
    ] = None,
    out: Out = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Judge a model: Ramachandran, rotamers, clashes, bonds and angles; with a map also Q, CC and FSC.

    Every model of a file is judged; the map is compared with the first. Atoms that are missing are not built, and
    hydrogens are placed anew.

    Writes residues.csv, clashes.csv, report.html, run.json and cite.bib; with a map also q.pdb (or .cif), the
    model with Q as B factors.

    Example: motet validate model.pdb map.mrc --resolution 3.2
    """
    from ..errors import ConfigError
    from .batch import machine
    from .run import Request

    where = machine("cpu", threads)
    if density is not None and resolution is None:
        raise ConfigError(f"{density}: the resolution of the map is not known; pass --resolution, in Å.")
    if density is None and resolution is not None:
        raise ConfigError("--resolution is that of a map: name the map after the model.")
    arguments = {
        "structure": str(model),
        "map": density and density.name,
        "resolution": resolution,
        "threads": threads,
    }

    def work(path: Path, run: "Run") -> dict[str, Any]:
        found, quality, loaded_map = _judge(path, density, resolution)
        run.note(found.structure.notes)
        if not run.quiet:
            _show(found, quality)
        run.lap("total")
        _write(found, quality, loaded_map, run.record, run.directory)
        return _summary(found, quality, run.directory)

    request = Request(command="validate", arguments=arguments, device=where, overwrite=overwrite, as_json=as_json)
    request.each(model, out, "validated", work, beside=(density,) if density else ())


def _judge(
    path: Path, density: Path | None, resolution: float | None
) -> "tuple[Validation, MapQuality | None, DensityMap | None]":
    from ..io import read
    from ..validation import validated
    from .batch import STDIN
    from .loading import print_notes

    structure = read("-" if path == STDIN else path)
    print_notes(structure.notes)
    found = validated(structure)
    if density is None or resolution is None:
        return found, None, None
    from ..density import DensityMap
    from ..density.quality import map_quality

    loaded = DensityMap.read(density)
    print_notes(loaded.notes)
    return found, map_quality(structure, loaded, resolution), loaded


def _summary(found: "Validation", quality: "MapQuality | None", directory: Path) -> dict[str, Any]:
    summary = {
        "name": found.structure.name,
        "out": str(directory),
        "models": [_rounded(asdict(one)) for one in found.summaries],
        "notes": [vars(one) for one in found.structure.notes],
    }
    return summary if quality is None else summary | {"map": _rounded(_map_figures(quality))}


def _map_figures(quality: "MapQuality") -> dict[str, Any]:
    """Agreement with the map; null where a curve never crosses."""
    import math

    half = quality.resolution
    return {
        "q": float(quality.q.mean),
        "atoms_scored": int(quality.q.exists.sum()),
        "cc_mask": quality.cc_mask,
        "cc_box": quality.cc_box,
        "fsc_half_angstrom": half if math.isfinite(half) else None,
        "overall_b": quality.overall_b,
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}


def _show(found: "Validation", quality: "MapQuality | None") -> None:
    from .console import note, table

    shown = found.summaries[:MOST_SHOWN]
    header = ["", *([f"model {i + 1}" for i in range(len(shown))] if len(found.summaries) > 1 else ["value"])]
    rows = [
        [title, *(_number(getattr(one, name), DECIMALS.get(name, 2)) for one in shown)]
        for name, title in COLUMNS.items()
    ]
    if quality:
        figures = _map_figures(quality)
        titles = ("Q", "atoms with a Q", "CC in the mask", "CC in the box", "FSC falls below 0.5 at (Å)")
        rows += [
            [title, _number(value, 3)]
            for title, value in zip(titles, list(figures.values())[: len(titles)], strict=True)
        ]
    table(found.structure.name, header, (row + [""] * (len(header) - len(row)) for row in rows))
    if len(found.summaries) > MOST_SHOWN:
        note(
            "ignored", f"{len(found.summaries) - MOST_SHOWN} further models are in the files, not on this screen."
        )
    if quality and quality.overall_b is not None:
        note("warning", f"the file's B factors say nothing: one of {quality.overall_b:.0f} Å² stands in for them.")


def _number(value: float | None, decimals: int) -> str:
    if value is None:
        return "nowhere"
    return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)


def _write(
    found: "Validation",
    quality: "MapQuality | None",
    density: "DensityMap | None",
    record: "RunRecord",
    directory: Path,
) -> None:
    """Tables and page."""
    from ..io import suffix_for, write
    from ..report.literature import write_citations
    from ..report.validation_page import behind_validation, write_validation
    from ..validation.exports import write_clashes, write_residues

    directory.mkdir(parents=True, exist_ok=True)
    write_residues(found, directory / "residues.csv", _q_column(found, quality))
    write_clashes(found, directory / "clashes.csv")
    if quality:
        scored = _with_q(found.structure, quality)
        write(scored, directory / f"q{suffix_for(scored)}", overwrite=True)
    write_citations(directory, behind_validation(quality is not None))
    write_validation(found, quality, density, record, directory)


def _q_column(found: "Validation", quality: "MapQuality | None") -> dict[str, list[list[Any]]]:
    """Mean Q of each residue in the first model, nothing in the others."""
    if quality is None:
        return {}
    first = ["" if q is None else round(q, 4) for q in quality.q_of_residues(found.structure.topology)]
    empty = [""] * len(first)
    return {"q": [first, *([empty] * (len(found.summaries) - 1))]}


def _with_q(structure: "Structure", quality: "MapQuality") -> "Structure":
    """The first model with Q in the place of B factors."""
    return replace(structure.model(0), b_factors=quality.q.values.float(), b_factor_meaning="B", notes=())
