"""`motet mine`: from a folder of predicted models to the states among them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, Out, Overwrite, Seed, Threads

if TYPE_CHECKING:
    from ..ensemble import Mined
    from ..ensemble.dense_states import DenseStates
    from ..io import Predictions

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
    from .batch import machine, stem_of

    machine("cpu", threads)
    job = _Job(
        arguments={"by": by, "smallest": smallest, "relax": relax, "path": path_frames, "threads": threads},
        alignments=alignments,
        compare=compare,
        seed=seed,
        overwrite=overwrite,
        as_json=as_json,
    )
    name = stem_of(models.resolve()).removesuffix(".npz").removesuffix("_preds")
    job.run(models, out or Path(f"{name}-mine"))


@dataclass(frozen=True)
class _Job:
    """One request."""

    arguments: dict[str, Any]
    alignments: Path | None
    compare: Path | None
    seed: int
    overwrite: bool
    as_json: bool

    def run(self, models: Path, directory: Path) -> None:
        """Read, mine and write."""
        from ..ensemble import save
        from ..ensemble.mining_exports import export_mined
        from ..ensemble.run_record import RunRecord
        from ..io import read_alignments, read_predictions
        from .batch import claim, print_result
        from .clock import Clock
        from .console import say
        from .finished import answered, write_summary
        from .loading import print_notes
        from .results import write_results

        inputs = _digests(models, self.alignments, self.compare)
        record = RunRecord("mine", self.arguments, self.seed, "cpu", inputs)
        if not self.overwrite and (summary := answered(directory, record)):
            print_result(summary, self.as_json)
            return
        claim(directory, self.overwrite)
        clock = Clock()
        predictions = read_predictions(models)
        rows = read_alignments(self.alignments, predictions.names) if self.alignments else None
        say(f"read {len(predictions)} models" + (f" and {len(rows)} alignments" if rows is not None else ""))
        mined = self._mined(predictions, rows, inputs, directory)
        print_notes(mined.notes)
        save(mined.analysis.ensemble, directory)
        export_mined(mined, directory)
        summary = _summary(mined, directory) | self._extras(mined, directory)
        write_summary(directory, summary)
        notes = tuple((one.kind, one.text) for one in mined.notes)
        clock.lap("mining")
        write_results(mined.analysis, replace(record, timings=clock.laps, notes=notes), directory)
        self._checkpoint(inputs, directory).close()
        if not self.as_json:
            _show(mined)
        say(f"wrote {directory / 'report.html'}")
        print_result(summary, self.as_json)

    def _mined(self, predictions: "Predictions", rows: Any, inputs: dict[str, str], directory: Path) -> "Mined":
        """The states, kept on disk as soon as they are found: a run that is stopped later goes on from them."""
        from ..ensemble import DenseStateFinder, check_models, mine

        finder = DenseStateFinder(self.arguments["by"], smallest=self.arguments["smallest"])
        checkpoint = self._checkpoint(inputs, directory)
        dense: DenseStates | None = None
        if checkpoint.open():
            dense = _unpacked(checkpoint.read(0), finder)
        else:
            sound = predictions.chosen(check_models(predictions.structure).sound)
            if len(sound):
                dense = finder.find(sound.structure, self.seed)
                checkpoint.write(0, _packed(dense))
        return mine(predictions, rows, finder, self.seed, dense)

    def _checkpoint(self, inputs: dict[str, str], directory: Path) -> Any:
        from .. import __version__
        from ..ensemble import Checkpoint

        what = {"version": __version__, "inputs": inputs, "seed": self.seed}
        return Checkpoint(directory, what | {key: self.arguments[key] for key in ("by", "smallest")})

    def _extras(self, mined: "Mined", directory: Path) -> dict[str, Any]:
        """What was asked for beyond the states: relaxed representatives, a path, a comparison."""
        from ..ensemble.mining_extras import compared, path_of, relaxed

        found: dict[str, Any] = {}
        if self.arguments["relax"]:
            found["relaxed"] = relaxed(mined, directory, self.arguments["relax"])
        if self.arguments["path"] and len(mined.analysis.states) > 1:
            found["path"] = path_of(mined, directory, self.arguments["path"])
        if self.compare:
            found["compared"] = compared(mined.analysis, self.compare)
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


def _digests(*paths: Path | None) -> dict[str, str]:
    """SHA-256 of each input; of a folder, of the names and contents of its files."""
    import hashlib

    from ..errors import FormatError
    from .batch import digest

    found = {}
    for path in paths:
        if path is None:
            continue
        if not path.exists():
            raise FormatError(path, "no such file or folder", "check the name")
        if path.is_dir():
            files = sorted(one for one in path.iterdir() if one.is_file())
            lines = "".join(f"{one.name} {digest(one)}\n" for one in files)
            found[path.resolve().name] = hashlib.sha256(lines.encode()).hexdigest()
        else:
            found[path.name] = digest(path)
    return found


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
