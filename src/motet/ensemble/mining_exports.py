"""What was mined as files for other tools: a table of all models, alignment rows, representatives with pLDDT."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch

from ..io import suffix_for, write, write_table
from ..structure import Structure
from .exports import superposed_models
from .mining import Mined

MODELS = "models.csv"


def export_mined(mined: Mined, directory: Path) -> None:
    """Write `models.csv`, `trials.csv`, `alignment_rows.csv` and `states/`; replaces what is there."""
    directory.mkdir(parents=True, exist_ok=True)
    write_models(mined, directory / MODELS)
    _write_trials(mined, directory / "trials.csv")
    if mined.enrichment is not None:
        _write_rows(mined, directory / "alignment_rows.csv")
    folder = directory / "states"
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("state-*.*"):
        stale.unlink()
    for label, structure in enumerate(representatives(mined)):
        write(structure, folder / f"state-{label}{suffix_for(structure)}", overwrite=True)


def representatives(mined: Mined) -> list[Structure]:
    """The medoid of each state, superposed, with its own pLDDT as B factor where the models have one."""
    fitted = superposed_models(mined.analysis)
    owner = torch.from_numpy(fitted.topology.residue_of_atom.copy())
    found = []
    for state in mined.analysis.states.states:
        model = fitted.model(state.medoid)
        if mined.predictions.confidence is not None:
            values = mined.predictions.confidence[mined.assigned[state.medoid]][owner]
            model = replace(model, b_factors=values, b_factor_meaning="pLDDT")
        found.append(model)
    return found


def write_models(mined: Mined, path: Path) -> None:
    """One row a model that was read: its state, or why it has none; mean pLDDT; Cα RMSD to the medoids, in Å."""
    analysis, confidence = mined.analysis, mined.predictions.confidence
    medoids = [state.medoid for state in analysis.states.states]
    distances = analysis.observables.pairwise_rmsd[:, medoids]
    place = {model: row for row, model in enumerate(mined.assigned.tolist())}

    def rows() -> Iterable[tuple[object, ...]]:
        for i, (name, state) in enumerate(zip(mined.predictions.names, mined.state_of_model, strict=True)):
            sure = "" if confidence is None else f"{float(confidence[i].mean()):.1f}"
            far = [f"{value:.3f}" for value in distances[place[i]].tolist()] if i in place else [""] * len(medoids)
            yield (name, state, sure, *far)

    header = ("model", "state", "mean_plddt", *(f"rmsd_to_state_{k}" for k in range(len(medoids))))
    write_table(path, header, rows(), overwrite=True)


def _write_trials(mined: Mined, path: Path) -> None:
    """How the number of states was found: one row a way to look at the models."""
    header = ("representation", "components", "states", "unassigned", "stability", "chosen")
    rows = (
        (
            one.representation,
            one.components,
            one.states,
            f"{one.unassigned:.3f}",
            f"{one.stability:.3f}",
            "yes" if one is mined.dense.chosen else "",
        )
        for one in mined.dense.trials
    )
    write_table(path, header, rows, overwrite=True)


def _write_rows(mined: Mined, path: Path) -> None:
    """Alignment rows that go with a state, surest first; q is the false discovery rate."""
    assert mined.enrichment is not None
    header = ("row", "state", "models_of_state", "models", "expected", "p_value", "q_value")
    rows = (
        (
            one.row,
            one.state,
            one.inside,
            one.everywhere,
            f"{one.expected:.2f}",
            f"{one.p_value:.3g}",
            f"{one.q_value:.3g}",
        )
        for one in mined.enrichment.rows
    )
    write_table(path, header, rows, overwrite=True)
