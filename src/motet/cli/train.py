"""`motet train`: the flow network, taught by a user's own trajectories."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, DeviceName, Out, Overwrite, Seed, Threads

if TYPE_CHECKING:
    from ..ensemble.fine_tuning import FineTuned, Motion


def train(
    trajectories: Annotated[
        Path,
        typer.Option(
            "--trajectories", help="Folder of XTC or DCD files with their PDB or mmCIF files.", show_default=False
        ),
    ],
    out: Out = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Weights to begin with; those that ship when left out.")
    ] = None,
    stride: Annotated[int, typer.Option("--stride", help="Every how many frames to take one.", min=1)] = 1,
    steps: Annotated[int, typer.Option("--steps", help="Steps at most.", min=1)] = 2000,
    every: Annotated[int, typer.Option("--every", help="Steps between looks at held-out frames.", min=1)] = 50,
    patience: Annotated[int, typer.Option("--patience", help="Looks in vain after which to stop.", min=1)] = 6,
    batch: Annotated[int, typer.Option("--batch", help="Crops a step.", min=1)] = 8,
    crop: Annotated[int, typer.Option("--crop", help="Residues of a crop.", min=8)] = 128,
    rate: Annotated[float, typer.Option("--rate", help="Highest rate of learning.")] = 2e-4,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Teach the flow network with your own simulations; `motet ensemble --method flow --weights` then uses it.

    Pieces of each trajectory are held out, and learning stops when the loss on them no longer falls. Each
    trajectory needs a structure of its own name, or one called topology. The same command goes on where it was
    stopped.

    Writes flow.safetensors, training.csv, training.html and run.json.

    Example: motet train --trajectories md/ -o tuned
    """
    from .batch import machine, print_result, resumable

    job = _Job(
        arguments={
            "steps": steps,
            "every": every,
            "patience": patience,
            "batch": batch,
            "crop": crop,
            "rate": rate,
            "stride": stride,
            "threads": threads,
        },
        weights=weights,
        seed=seed,
        device=machine(device, threads),
        overwrite=overwrite,
    )
    with resumable():
        result = job.run(trajectories, out or Path(f"{trajectories.resolve().name}-train"))
    if not as_json:
        _show(result)
    print_result(result, as_json)


@dataclass(frozen=True)
class _Job:
    """One request."""

    arguments: dict[str, Any]
    weights: Path | None
    seed: int
    device: str
    overwrite: bool

    def run(self, folder: Path, directory: Path) -> dict[str, Any]:
        """Read, learn and write."""
        from ..ensemble.fine_tuning import ENOUGH, read_motion
        from ..ensemble.run_record import RunRecord
        from ..io import find_trajectories
        from .batch import claim, digest
        from .clock import Clock
        from .console import Meter, note, say
        from .finished import answered, write_summary

        found = find_trajectories(folder)
        inputs = {file.name: digest(file) for one in found for file in one.files}
        start = "shipped" if self.weights is None else digest(self.weights)
        record = RunRecord("train", self.arguments | {"weights": start}, self.seed, self.device, inputs)
        if not self.overwrite and (summary := answered(directory, record)):
            return summary
        claim(directory, self.overwrite)
        clock = Clock()
        motions = [read_motion(one, self.arguments["stride"]) for one in found]
        worth = sum(one.independent_frames for one in motions)
        say(f"read {sum(len(one.frames) for one in motions)} frames, worth about {worth:.0f} independent ones")
        if worth < ENOUGH:
            note("warning", f"that is little (below {ENOUGH}): the network may learn these frames by heart.")
        clock.lap("reading")
        with Meter("learning") as meter:
            tuned, checkpoint = self._tuned(motions, record, directory, meter.advance)
        clock.lap("learning")
        summary = _summary(tuned, motions, directory)
        write_summary(directory, summary)
        _write(tuned, motions, replace(record, timings=clock.laps), directory)
        checkpoint.close()
        say(f"wrote {directory / 'flow.safetensors'}")
        return summary

    def _tuned(
        self, motions: "list[Motion]", record: Any, directory: Path, progress: Any
    ) -> "tuple[FineTuned, Any]":
        from ..ensemble import Checkpoint
        from ..ensemble.fine_tuning import FineTuning, fine_tune
        from ..fold.flow_weights import FlowModel, load_flow

        asked = {key: value for key, value in self.arguments.items() if key not in ("stride", "threads")}
        model = load_flow(self.weights)
        model = FlowModel(model.network.to(self.device), model.path, model.origin)
        what = {"version": record.version, "inputs": record.inputs, "seed": self.seed, "device": self.device}
        checkpoint = Checkpoint(directory, what | record.arguments)
        return fine_tune(model, motions, FineTuning(**asked, seed=self.seed), checkpoint, progress), checkpoint


def _write(tuned: "FineTuned", motions: "list[Motion]", record: Any, directory: Path) -> None:
    from ..fold.flow_weights import save_flow
    from ..io import write_text
    from ..report.literature import FLOW, write_citations
    from ..report.training import write_training_page

    save_flow(tuned.model, directory / "flow.safetensors")
    rows = [f"{int(step)},{learnt:.5f},{held:.5f}" for step, learnt, held in tuned.course.tolist()]
    write_text(directory / "training.csv", "\n".join(["step,learnt,held_out", *rows]) + "\n", overwrite=True)
    write_citations(directory, FLOW)
    write_training_page(tuned, motions, record, directory / "training.html")
    record.save(directory / "run.json")


def _summary(tuned: "FineTuned", motions: "list[Motion]", directory: Path) -> dict[str, Any]:
    best = tuned.course[tuned.best]
    return {
        "out": str(directory),
        "trajectories": [one.name for one in motions],
        "frames": sum(len(one.frames) for one in motions),
        "independent_frames": sum(one.independent_frames for one in motions),
        "steps": int(tuned.course[-1, 0]),
        "best_step": int(best[0]),
        "held_out_before": float(tuned.course[0, 2]),
        "held_out_after": float(best[2]),
    }


def _show(summary: dict[str, Any]) -> None:
    from .console import table

    before, after = (summary[f"held_out_{when}"] for when in ("before", "after"))
    row = [f"{before:.4f}", f"{after:.4f}", str(summary["best_step"]), str(summary["steps"])]
    table("loss on frames that were not learnt from", ["before", "after", "reached at step", "steps made"], [row])
