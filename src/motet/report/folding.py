"""Pages of what AlphaFold2 predicted: one structure, or many views of a protein."""

from pathlib import Path

from ..ensemble.folding import FoldedEnsemble, Hypotheses, Probing
from ..ensemble.folding.comparison import compared
from ..ensemble.run_record import RunRecord
from ..fold import Folding
from ..io import Alignment
from .charts import lines_chart, matrix_chart
from .literature import cited
from .numbers import count, percent, significant
from .plain import Figure, Page, Table, write_page

CONFIDENT = 70  # pLDDT from which a backbone is usually right
_WORKS = ("jumper2021", "delalamo2022", "waymentsteele2024", "geshkovski2025", "vehtari2024")
SHOWN_PAIRS = 20


def write_prediction_page(found: Folding, alignment: Alignment, name: str, record: RunRecord, path: Path) -> None:
    """The page of one prediction: how sure the network is, residue by residue and pair by pair."""
    last = found.prediction
    sure = float((last.plddt >= CONFIDENT).float().mean())
    sentences = [
        f"AlphaFold2 ({record.arguments['model']}) folded {count(len(alignment), 'residue')} from "
        f"{count(alignment.depth, 'row')}, in {count(len(found.changes), 'pass', 'passes')}.",
        f"Its mean pLDDT is {float(last.confidence):.1f}; {percent(sure)} of the residues reach {CONFIDENT}.",
        "pLDDT says how sure the network is of each residue's surroundings, not how much the protein moves.",
    ]
    confidence = last.plddt.tolist()
    figures = [
        Figure.wide(
            "Confidence along the chain",
            lambda width: lines_chart(
                "plddt",
                "pLDDT along the chain",
                {"pLDDT": confidence},
                x_label="residue",
                y_label="pLDDT",
                width=width,
                y_range=(0.0, 100.0),
            ),
            f"Above {CONFIDENT} the backbone is usually right, below 50 it should not be read as a structure.",
        )
    ]
    if last.aligned is not None:
        sentences.insert(2, f"Its pTM is {float(last.aligned.tm_score):.2f}.")
        errors = matrix_chart(
            "pae",
            "Predicted aligned error",
            last.aligned.expected.cpu(),
            key="expected error",
            low=0.0,
            high=30.0,
            unit=" Å",
        )
        figures.append(
            Figure(
                "Predicted aligned error",
                [errors],
                "Expected error of the residue across, with models laid on the residue down the side.",
            )
        )
    notes = [text for _, text in record.notes]
    write_page(
        Page(name, "Prediction report · motet fold", sentences, figures, cited(("jumper2021",)), notes), path
    )


def write_ensemble_page(made: FoldedEnsemble, probing: Probing, hypotheses: Hypotheses, path: Path) -> None:
    """The page beside an ensemble's report: what each view found, and what tokens do inside the network."""
    states = len(made.analysis.states)
    controls = sum(member.control for member in made.members)
    sentences = [
        f"AlphaFold2 was shown {count(len(made.members), 'view')} of the alignment, {controls} of them random "
        f"rows as a control; the relaxed models fall into {count(states, 'state')}.",
        f"Its own row clusters suggest {count(hypotheses.states, 'state')}: {hypotheses.reason}.",
        f"{made.weighing.reason[0].upper()}{made.weighing.reason[1:]}.",
        "Shares of states are frequencies of predictions. A choice of rows means something only where it finds "
        "what its random control does not.",
    ]
    name = made.analysis.ensemble.structure.name
    works = cited(_WORKS)
    content = [*_figures(made, probing, hypotheses), _groups(made), *_pairs(made)]
    write_page(Page(name, "Views report · motet fold", sentences, content, works), path)


def _groups(made: FoldedEnsemble) -> Table:
    rows = [
        [
            group.label,
            str(group.members),
            f"{group.plddt:.1f}",
            significant(group.spread),
            ", ".join(f"{number} in {state + 1}" for state, number in enumerate(group.states) if number),
        ]
        for group in compared(made)
    ]
    columns = ["Perturbation", "Members", "Mean pLDDT", "RMSD between them (Å)", "States reached"]
    return Table("What each perturbation found, beside as many rows at random where it chose rows.", columns, rows)


def _pairs(made: FoldedEnsemble) -> list[Table]:
    if made.switches is None:
        return []
    labels = made.analysis.observables.residue_labels
    pairs, values = made.switches.strongest(SHOWN_PAIRS)
    rows = [
        [labels[i], labels[j], f"{value:.2f}"]
        for (i, j), value in zip(pairs.tolist(), values.tolist(), strict=True)
    ]
    title = "Pairs whose predicted distances tell the states apart."
    return [Table(title, ["a", "b", "Divergence"], rows, broad=True)]


def _figures(made: FoldedEnsemble, probing: Probing, hypotheses: Hypotheses) -> list[Figure]:
    counts = [float(number) for number in hypotheses.plateau.counts]
    figures = [
        Figure(
            "Clusters of rows along the blocks",
            [lines_chart("births", "Clusters of rows", {"clusters": counts}, x_label="block", y_label="clusters")],
            "Births and merges: how many clusters the rows of the alignment form after each block.",
        )
    ]
    for number, (observable, views) in enumerate(probing.series.items()):
        chart = lines_chart(f"probe-{number}", observable, views, x_label="block")
        caption = "Only what differs from both controls says something of this protein."
        figures.append(Figure(observable[0].upper() + observable[1:], [chart], caption))
    if made.switches is not None:
        chart = matrix_chart(
            "switches",
            "Divergence of distograms",
            made.switches.divergence,
            key="divergence between states",
            low=0.0,
            high=max(float(made.switches.divergence.max()), 0.01),
        )
        figures.append(Figure("What switches", [chart], "Jensen-Shannon divergence of the states' distograms."))
    return figures
