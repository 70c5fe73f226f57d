"""`motet mine`: from a folder of predicted models to the states among them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, Out, Overwrite, Seed, Threads

if TYPE_CHECKING:
    from ..ensemble import Mined
    from ..ensemble.dense_states import DenseStates
    from ..io import Predictions
    from .run import Run

Models = Annotated[
    Path,
    typer.Argument(
        help="Folder of PDB or mmCIF models of one protein, or an npz with name, seq, coords, plddt.",
        show_default=False,
    ),
]


def mine(
    models: Models,
    out: Out = None,
    alignments: Annotated[
        Path | None,
        typer.Option(
            "--alignments",
            help="Folder or tar of the A3M alignments that the models were predicted from.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="auto, torsions, distances, contacts or superposed: what states differ in.")
    ] = "auto",
    smallest: Annotated[
        float, typer.Option("--smallest", help="Least share of the models that is a state.", min=0.001, max=0.5)
    ] = 0.03,
    relax: Annotated[
        int, typer.Option("--relax", help="Relax the representatives by so many steps in the force field.", min=0)
    ] = 0,
    path_frames: Annotated[
        int, typer.Option("--path", help="Frames of a closed path between the first two states; 0: none.", min=0)
    ] = 0,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare", help="Results of another `mine` or `ensemble` to compare with.", show_default=False
        ),
    ] = None,
    seed: Seed = 0,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Find the states in a folder of predicted models, and what moves between them.

    Broken and clashing models are left out; the others fall into dense regions or into none. Shares of states are
    frequencies of predictions, not Boltzmann populations, and no state is ranked by pLDDT.

    Writes models.csv, states/, transitions.csv, alignment_rows.csv, samples.xtc, report.html and more.

    Example: motet mine predictions/ --alignments msas/ -o states
    """
    from .batch import digests, machine, stem_of
    from .run import Request

    request = Request(
        command="mine",
        arguments={"by": by, "smallest": smallest, "relax": relax, "path": path_frames, "threads": threads},
        seed=seed,
        device=machine("cpu", threads),
        overwrite=overwrite,
        as_json=as_json,
    )
    name = stem_of(models.resolve()).removesuffix(".npz").removesuffix("_preds")
    inputs = digests(*(one for one in (models, alignments, compare) if one is not None))

    def work(run: "Run") -> dict[str, Any]:
        from ..ensemble import save
        from ..ensemble.mining_exports import export_mined
        from ..io import read_alignments, read_predictions
        from .console import say
        from .loading import print_notes
        from .results import write_results

        predictions = read_predictions(models)
        rows = read_alignments(alignments, predictions.names) if alignments else None
        say(f"read {len(predictions)} models" + (f" and {len(rows)} alignments" if rows is not None else ""))
        mined = _mined(predictions, rows, run)
        print_notes(mined.notes)
        run.note(mined.notes)
        save(mined.analysis.ensemble, run.directory)
        export_mined(mined, run.directory)
        summary = _summary(mined, run.directory) | _extras(mined, run, compare)
        run.lap("mining")
        write_results(mined.analysis, run.record, run.directory)
        if not run.quiet:
            _show(mined)
        say(f"wrote {run.directory / 'report.html'}")
        return summary

    request.once(inputs, out or Path(f"{name}-mine"), work)


def _mined(predictions: "Predictions", rows: Any, run: "Run") -> "Mined":
    """The states, kept on disk as soon as they are found: a run that is stopped later goes on from them."""
    from ..ensemble import DenseStateFinder, check_models, mine

    finder = DenseStateFinder(run.record.arguments["by"], smallest=run.record.arguments["smallest"])
    checkpoint = run.checkpoint()
    dense: DenseStates | None = None
    if checkpoint.open():
        dense = _unpacked(checkpoint.read(0), finder)
    else:
        sound = predictions.chosen(check_models(predictions.structure).sound)
        if len(sound):
            dense = finder.find(sound.structure, run.record.seed)
            checkpoint.write(0, _packed(dense))
    return mine(predictions, rows, finder, run.record.seed, dense)


def _extras(mined: "Mined", run: "Run", other: Path | None) -> dict[str, Any]:
    """What was asked for beyond the states: relaxed representatives, a path, a comparison."""
    from ..ensemble.mining_extras import compared, path_of, relaxed

    asked, found = run.record.arguments, {}
    if asked["relax"]:
        found["relaxed"] = relaxed(mined, run.directory, asked["relax"])
    if asked["path"] and len(mined.analysis.states) > 1:
        found["path"] = path_of(mined, run.directory, asked["path"])
    if other:
        found["compared"] = compared(mined.analysis, other)
    return found


def _packed(dense: "DenseStates") -> dict[str, Any]:
    import json

    import torch

    told = {
        "trials": [vars(one) for one in dense.trials],
        "chosen": dense.trials.index(dense.chosen) if dense.chosen else -1,
        "reason": dense.reason,
    }
    text = torch.tensor(list(json.dumps(told).encode()), dtype=torch.uint8)
    return {"labels": dense.labels, "firmness": dense.firmness, "told": text}


def _unpacked(tensors: dict[str, Any], finder: Any) -> "DenseStates":
    import json

    from ..ensemble.dense_states import DenseStates, DenseTrial

    told = json.loads(bytes(tensors["told"].tolist()))
    trials = tuple(DenseTrial(**one) for one in told["trials"])
    chosen = trials[told["chosen"]] if told["chosen"] >= 0 else None
    return DenseStates(tensors["labels"], tensors["firmness"], chosen, trials, told["reason"])


def _show(mined: "Mined") -> None:
    from ..ensemble.exports import transition_sentence
    from .console import say, table

    rows = []
    for state in mined.analysis.states.states:
        sure = "-" if mined.confidence is None else f"{float(mined.confidence[state.label]):.0f}"
        share = f"{state.population:.3f} ± {state.population_error:.3f}"
        rows.append([str(state.label), share, str(len(state.members)), sure, f"{state.spread:.2f}"])
    header = ["state", "share of models", "models", "mean pLDDT", "spread Å"]
    table(mined.predictions.structure.name, header, rows)
    say(mined.dense.reason[:1].upper() + mined.dense.reason[1:] + ".")
    for one in mined.analysis.transitions:
        say(transition_sentence(mined.analysis, one))
    say("Shares are frequencies of these predictions, not Boltzmann populations; pLDDT ranks nothing here.")


def _summary(mined: "Mined", directory: Path) -> dict[str, Any]:
    from ..ensemble.exports import residues_of

    analysis, check = mined.analysis, mined.check
    states = [
        {
            "state": state.label,
            "models": len(state.members),
            "share": state.population,
            "share_error": state.population_error,
            "mean_plddt": None if mined.confidence is None else float(mined.confidence[state.label]),
            "medoid": mined.predictions.names[int(mined.assigned[state.medoid])],
            "spread": state.spread,
        }
        for state in analysis.states.states
    ]
    moves = [
        {
            "from": one.start,
            "to": one.end,
            "rmsd": one.rmsd,
            "rigid_groups": [
                residues_of(analysis, one.groups.members(group).tolist()) for group in range(len(one.groups))
            ],
            "hinges": [residues_of(analysis, range(h.first, h.last + 1)) for h in one.groups.hinges],
            "switching": residues_of(analysis, [switch.residue for switch in one.switches]),
            "contacts_lost": len(one.lost),
            "contacts_gained": len(one.gained),
        }
        for one in analysis.transitions
    ]
    found = mined.enrichment
    return {
        "name": mined.predictions.structure.name,
        "out": str(directory),
        "models": len(mined.predictions),
        "broken": int(check.broken.sum()),
        "clashing": int((check.clashing & ~check.broken).sum()),
        "unassigned": int((mined.dense.labels < 0).sum()),
        "unassigned_mean_plddt": mined.unassigned_confidence,
        "weighting": "frequencies of predictions, not Boltzmann populations",
        "representation": mined.dense.chosen.representation if mined.dense.chosen else None,
        "stability": mined.dense.chosen.stability if mined.dense.chosen else None,
        "reason": mined.dense.reason,
        "states": states,
        "transitions": moves,
        "alignment_rows": None
        if found is None
        else {
            "tested": found.tested,
            "called": len(found.rows),
            "median_depth": list(found.depths),
            "mean_identity": list(found.identities),
            "surest": [vars(one) for one in found.rows[:10]],
        },
    }
