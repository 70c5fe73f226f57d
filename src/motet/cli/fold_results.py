"""What `motet fold` shows and writes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import say, table

if TYPE_CHECKING:
    from ..ensemble.folding import FoldedEnsemble, Hypotheses, Probing
    from ..ensemble.run_record import RunRecord
    from ..fold import Folding
    from ..io import Alignment


def show_prediction(
    found: "Folding", alignment: "Alignment", name: str, directory: Path, *, quiet: bool
) -> dict[str, Any]:
    """The prediction in a few numbers, printed and as a summary."""
    last = found.prediction
    summary = {
        "name": name,
        "out": str(directory),
        "residues": len(alignment),
        "rows": alignment.depth,
        "plddt": round(float(last.confidence), 2),
        "ptm": None if last.aligned is None else round(float(last.aligned.tm_score), 4),
        "passes": len(found.changes),
        "last_change": round(found.changes[-1], 3),
    }
    if not quiet:
        ptm = "none" if summary["ptm"] is None else f"{summary['ptm']:.2f}"
        row = [name, str(len(alignment)), str(alignment.depth), f"{summary['plddt']:.1f}", ptm]
        table("prediction", ["target", "residues", "rows", "mean pLDDT", "pTM"], [row])
    return summary


def write_prediction(
    found: "Folding", alignment: "Alignment", name: str, record: "RunRecord", directory: Path
) -> None:
    """The model, its confidence, the page."""
    from ..fold.confidence_files import write_aligned_errors, write_confidence
    from ..fold.structures import structure_of
    from ..io import write
    from ..report.folding import write_prediction_page
    from ..report.literature import write_citations

    last = found.prediction
    write(structure_of([last], alignment.query, name), directory / "model.pdb", overwrite=True)
    if last.aligned is not None:
        write_aligned_errors(last.aligned, directory / "pae.json", overwrite=True)
    write_confidence(last, alignment.query, directory / "residues.csv", overwrite=True)
    write_citations(directory, ("jumper2021",))
    write_prediction_page(found, alignment, name, record, directory / "report.html")


def show_ensemble(
    made: "FoldedEnsemble", hypotheses: "Hypotheses", directory: Path, *, quiet: bool
) -> dict[str, Any]:
    """States, and what each perturbation found, printed and as a summary."""
    from ..ensemble.folding.comparison import compared

    groups = compared(made)
    states = made.analysis.states.states
    summary = {
        "name": made.analysis.ensemble.structure.name,
        "out": str(directory),
        "members": len(made.members),
        "states": [
            {"state": one.label, "share": one.population, "members": len(one.members), "spread": one.spread}
            for one in states
        ],
        "populations": not made.weighing.refused,
        "pareto_k": made.weighing.k if made.weighing.k < float("inf") else None,
        "effective_sample_size": made.weighing.effective,
        "hypotheses": {"states": hypotheses.states, "p_value": hypotheses.p_value},
        "perturbations": [vars(group) for group in groups],
    }
    if not quiet:
        rows = [
            [g.label, str(g.members), f"{g.plddt:.1f}", f"{g.spread:.2f}", " ".join(map(str, g.states))]
            for g in groups
        ]
        table("perturbations", ["", "members", "mean pLDDT", "mean RMSD between them Å", "states"], rows)
        say(hypotheses.reason)
        say(made.weighing.reason)
    return summary


def write_ensemble(
    made: "FoldedEnsemble",
    probing: "Probing",
    hypotheses: "Hypotheses",
    record: "RunRecord",
    directory: Path,
) -> None:
    """Everything that `motet ensemble` writes, and what is special about views."""
    from ..ensemble import save
    from ..report.folding import write_ensemble_page
    from .results import write_results

    save(made.analysis.ensemble, directory)
    _write_members(made, directory / "members.csv")
    _write_hypotheses(hypotheses, directory / "hypotheses.json")
    if made.switches is not None:
        _write_switches(made, directory / "switches.csv")
    write_ensemble_page(made, probing, hypotheses, directory / "folding.html")
    write_results(made.analysis, record, directory)


def _write_members(made: "FoldedEnsemble", path: Path) -> None:
    from ..io import write_table

    labels, weights = made.labels.tolist(), made.analysis.ensemble.weights.tolist()
    energies = made.analysis.ensemble.total_energies.tolist()
    rows = []
    for i, (member, found) in enumerate(zip(made.members, made.sampled, strict=True)):
        depth = "all" if member.weights is None else f"{member.depth:.1f}"
        measured = (f"{float(found.plddt.mean()):.2f}", f"{float(found.tm_score):.4f}", f"{energies[i]:.2f}")
        rows.append(
            (i, *member.described().values(), depth, *measured, f"{made.moved[i]:.2f}", labels[i], weights[i])
        )
    head = ("conformation", *made.members[0].described(), "rows", "plddt", "ptm", "energy", "moved")
    write_table(path, (*head, "found_state", "weight"), rows, overwrite=True)


def _write_switches(made: "FoldedEnsemble", path: Path) -> None:
    from ..io import write_table

    assert made.switches is not None  # the caller has looked
    pairs, values = made.switches.strongest(200)
    rows = [(i + 1, j + 1, f"{value:.4f}") for (i, j), value in zip(pairs.tolist(), values.tolist(), strict=True)]
    write_table(path, ("residue_a", "residue_b", "divergence"), rows, overwrite=True)


def _write_hypotheses(hypotheses: "Hypotheses", path: Path) -> None:
    from ..io import write_text

    content = {
        "states": hypotheses.states,
        "reason": hypotheses.reason,
        "p_value": hypotheses.p_value,
        "clusters_by_block": hypotheses.plateau.counts,
        "plateau": {"first": hypotheses.plateau.first, "length": hypotheses.plateau.length},
        "persistence": {
            "this": hypotheses.plateau.persistence,
            "shuffled": hypotheses.shuffled,
            "random": hypotheses.random,
        },
        "row_weights": [[round(w, 4) for w in row] for row in hypotheses.weights.tolist()],
    }
    write_text(path, json.dumps(content, indent=1) + "\n", overwrite=True)
