"""Loop models as an ensemble, and as a table."""

from pathlib import Path

import torch

from ...io import write_table
from ..ensemble import Ensemble, Provenance
from ..states import States
from .modelling import LoopModels


def as_ensemble(models: LoopModels, temperature: float, seed: int) -> Ensemble:
    """The conformations, best first, equally weighted: they are candidates, not draws from a law."""
    count = len(models.energies)
    return Ensemble(
        structure=models.structure,
        weights=torch.full((count,), 1.0 / count),
        energy_terms=models.terms,
        energies=models.energies,
        replica=torch.arange(count),
        step=torch.zeros(count, dtype=torch.long),
        provenance=Provenance("loop", temperature, seed, "given", {"relaxed": int(models.relaxed.sum())}),
    )


def write_loops(models: LoopModels, states: States, path: Path) -> None:
    """One row a conformation, best first: score, energy in kcal/mol, favoured share, room in Å, state."""
    columns = zip(
        models.score.tolist(),
        models.energies.sum(-1).tolist(),
        models.relaxed.tolist(),
        models.backbones.favoured.double().mean(-1).tolist(),
        models.backbones.room.tolist(),
        models.backbones.score.tolist(),
        states.labels.tolist(),
        strict=True,
    )
    header = ("conformation", "score", "energy", "relaxed", "favoured", "room", "preference", "state")
    rows = (
        (rank, f"{score:.3f}", f"{energy:.3f}", int(relaxed), *(f"{one:.3f}" for one in shape), state)
        for rank, (score, energy, relaxed, *shape, state) in enumerate(columns)
    )
    write_table(path, header, rows, overwrite=True)
