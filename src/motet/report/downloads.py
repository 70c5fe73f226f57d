"""Files that a reader takes from the page: byte for byte what `motet ensemble` writes beside it, where it does."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..ensemble import Analysis
from ..ensemble.exports import write_contacts, write_residues, write_states, write_transitions
from .written import written


@dataclass(frozen=True)
class Download:
    """One file: its name, what it holds, its media type and its text."""

    name: str
    holds: str
    media_type: str
    text: str

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.text.encode())


def tables(analysis: Analysis) -> list[Download]:
    """The tables, as CSV."""
    return [
        _table("states.csv", "population, free energy and representative of each state", write_states, analysis),
        _table("residues.csv", "RMSF of each residue", write_residues, analysis),
        _table("contacts.csv", "occupancy of each contact", write_contacts, analysis),
        _table("transitions.csv", "what moves between states", write_transitions, analysis),
        Download(
            "conformations.csv",
            "state, weight, RMSD, radius of gyration, components and energies of each conformation",
            "text/csv",
            conformations(analysis),
        ),
    ]


def conformations(analysis: Analysis) -> str:
    """One row a conformation: lengths in Å, energies in kcal/mol."""
    ensemble, observables = analysis.ensemble, analysis.observables
    components = observables.principal.projections[:, :2]
    names = [f"pc{k + 1}" for k in range(components.shape[1])]
    head = ["conformation", "weight", "replica", "step", "state", "rmsd_to_first", "radius_of_gyration"]
    energies = ["energy", *ensemble.energy_terms] if ensemble.energy_terms else []
    measured = torch.cat(
        (observables.rmsd_to_first[:, None], observables.radius_of_gyration[:, None], components), dim=1
    )
    if energies:
        measured = torch.cat((measured, ensemble.total_energies[:, None], ensemble.energies), dim=1)
    counted = zip(
        ensemble.weights.tolist(),
        ensemble.replica.tolist(),
        ensemble.step.tolist(),
        analysis.states.labels.tolist(),
        strict=True,
    )
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([*head, *names, *energies])
    for index, ((weight, *integers), values) in enumerate(zip(counted, measured.tolist(), strict=True)):
        writer.writerow([index, f"{weight:.6g}", *integers, *(f"{value:.4f}" for value in values)])
    return sink.getvalue()


def _table(name: str, holds: str, write: Callable[[Analysis, Path], None], analysis: Analysis) -> Download:
    return Download(name, holds, "text/csv", written(name, lambda path: write(analysis, path)).decode())
