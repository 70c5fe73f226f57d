"""A validation as tables: one row a residue, one row a clash."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..io import write_table
from .covalent import Peptide
from .grids import RAMACHANDRAN
from .validation import Validation
from .verdicts import Verdict

_PLACE = ("model", "chain", "number", "insertion_code", "residue")
_DEGREES = (
    "phi_degrees",
    "psi_degrees",
    "omega_degrees",
    "chi1_degrees",
    "chi2_degrees",
    "chi3_degrees",
    "chi4_degrees",
)
RESIDUE_COLUMNS = (
    *_PLACE,
    *_DEGREES,
    "ramachandran_class",
    "ramachandran_share",
    "ramachandran",
    "rotamer_share",
    "rotamer",
    "peptide",
    "cbeta_deviation_angstrom",
    "clashes",
    "worst_overlap_angstrom",
    "bond_z",
    "angle_z",
    "mirrored",
)


def residue_rows(validation: Validation) -> Iterator[dict[str, Any]]:
    """One row for each protein residue of each model; empty where a thing does not exist."""
    topology = validation.structure.topology
    protein = (topology.residue_kinds == "protein").nonzero()[0].tolist()
    columns = _columns(validation)
    for model in range(len(validation.summaries)):
        for row in protein:
            place = (
                model + 1,
                str(topology.chain_ids[topology.chain_of_residue[row]]),
                int(topology.residue_numbers[row]),
                str(topology.insertion_codes[row]),
                str(topology.residue_names[row]),
            )
            yield dict(zip(_PLACE, place, strict=True)) | {
                name: column[model][row] for name, column in columns.items()
            }


def clash_rows(validation: Validation) -> list[dict[str, Any]]:
    """One row for each clash, the worst of each model first."""
    found, topology = validation.clashes, validation.clashes.topology
    order = sorted(range(len(found.overlap)), key=lambda k: (int(found.model[k]), -float(found.overlap[k])))
    return [
        {
            "model": int(found.model[k]) + 1,
            "first": topology.atom_label(int(found.atoms[k, 0])),
            "second": topology.atom_label(int(found.atoms[k, 1])),
            "overlap_angstrom": round(float(found.overlap[k]), 3),
        }
        for k in order
    ]


def write_residues(
    validation: Validation, path: Path, more: Mapping[str, Sequence[Sequence[Any]]] | None = None
) -> None:
    """Write `residue_rows` as CSV, with further columns, each `models residues`."""
    more = more or {}
    numbers = _rows_of(validation)
    rows = (
        row | {name: column[model][residue] for name, column in more.items()}
        for row, (model, residue) in zip(residue_rows(validation), numbers, strict=True)
    )
    _write(path, (*RESIDUE_COLUMNS, *more), rows)


def write_clashes(validation: Validation, path: Path) -> None:
    """Write `clash_rows` as CSV."""
    _write(path, ("model", "first", "second", "overlap_angstrom"), clash_rows(validation))


def _write(path: Path, header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    write_table(path, header, ([row.get(name, "") for name in header] for row in rows), overwrite=True)


def _rows_of(validation: Validation) -> list[tuple[int, int]]:
    protein = (validation.structure.topology.residue_kinds == "protein").nonzero()[0].tolist()
    return [(model, row) for model in range(len(validation.summaries)) for row in protein]


def _columns(validation: Validation) -> dict[str, list[list[Any]]]:
    """Every column but the place, `models residues`."""
    backbone, chains = validation.ramachandran, validation.rotamers
    judged, side = backbone.kind >= 0, chains.verdict >= 0
    chis = chains.chis
    turns = (backbone.phi, backbone.psi, validation.omega, *chis.unbind(-1))
    there = (judged, judged, validation.peptide >= 0, *(chis != 0).unbind(-1))
    degrees = [_where(mask, _rounded(turn.rad2deg(), 2)) for turn, mask in zip(turns, there, strict=True)]
    return dict(zip(_DEGREES, degrees, strict=True)) | {
        "ramachandran_class": _named(backbone.kind, RAMACHANDRAN),
        "ramachandran_share": _where(judged, _rounded(backbone.share, 5)),
        "ramachandran": _words(backbone.verdict),
        "rotamer_share": _where(side, _rounded(chains.share, 5)),
        "rotamer": _words(chains.verdict),
        "peptide": _named(validation.peptide, tuple(kind.name.lower() for kind in list(Peptide)[1:])),
        "cbeta_deviation_angstrom": _where(
            validation.cbeta.exists.expand_as(validation.cbeta.deviation), _rounded(validation.cbeta.deviation, 3)
        ),
        "clashes": validation.clashes_of_residue.tolist(),
        "worst_overlap_angstrom": _rounded(validation.overlap_of_residue, 3),
        "bond_z": _rounded(validation.bond_z, 2),
        "angle_z": _rounded(validation.angle_z, 2),
        "mirrored": validation.mirrored.int().tolist(),
    }


def _rounded(values: Tensor, digits: int) -> list[list[float]]:
    return [[round(value, digits) for value in row] for row in values.tolist()]


def _where(mask: Tensor, values: list[list[float]]) -> list[list[Any]]:
    return [
        [v if m else "" for v, m in zip(*both, strict=True)] for both in zip(values, mask.tolist(), strict=True)
    ]


def _words(verdicts: Tensor) -> list[list[str]]:
    return [[Verdict(value).word for value in row] for row in verdicts.tolist()]


def _named(kinds: Tensor, names: tuple[str, ...]) -> list[list[str]]:
    return [[names[value] if value >= 0 else "" for value in row] for row in torch.as_tensor(kinds).tolist()]
