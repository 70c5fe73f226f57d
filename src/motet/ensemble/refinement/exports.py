"""Tables of a refinement: its steps, and what each residue is like after it."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...density.quality import MapQuality
from ...io import write_table
from ...structure import Structure
from .refine import Refined

UNITS = {"energy": "energy_kcal_mol", "b_factor": "mean_b_factor_angstrom2", "weight": "weight_kcal_mol"}


def write_steps(refined: Refined, path: Path) -> None:
    """One row a step: correlations, energy, mean B factor and weight."""
    steps = [{"step": name} | asdict(found) for name, found in refined.history]
    header = [UNITS.get(name, name) for name in steps[0]]
    rows = ([one if isinstance(one, str) else round(one, 4) for one in step.values()] for step in steps)
    write_table(path, header, rows, overwrite=True)


def residue_columns(
    after: Structure, before: Structure, quality: MapQuality
) -> dict[str, Sequence[Sequence[Any]]]:
    """Q, mean B factor in Å² and how far its atoms moved, in Å, of each residue; a list a model, which is one."""
    owner = torch.tensor(after.topology.residue_of_atom)
    moved = (after.coords - before.coords).square().sum(-1)
    scores = ["" if q is None else round(q, 4) for q in quality.q_of_residues(after.topology)]
    return {
        "q": [scores],
        "b_factor_angstrom2": [_rounded(_mean(after.b_factors, owner, after.n_residues))],
        "moved_angstrom": [_rounded(_mean(moved, owner, after.n_residues).sqrt())],
    }


def _mean(values: Tensor, owner: Tensor, count: int) -> Tensor:
    total = values.new_zeros(count).index_add_(0, owner, values)
    return total / torch.bincount(owner, minlength=count).clamp_min(1)


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 3) for value in values.tolist()]
