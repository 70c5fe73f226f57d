"""`motet train`: the flow network, taught by a user's own trajectories."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, DeviceName, Out, Overwrite, Seed, Threads

if TYPE_CHECKING:
    from ..ensemble.fine_tuning import FineTuned, Motion
    from ..io.trajectory_sets import Trajectory
    from .run import Run


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
    from ..io import find_trajectories
    from .batch import digest, digests, machine
    from .run import Request

    found = find_trajectories(trajectories)
    request = Request(
        command="train",
        arguments={
            "steps": steps,
            "every": every,
            "patience": patience,
            "batch": batch,
            "crop": crop,
            "rate": rate,
            "stride": stride,
            "threads": threads,
            "weights": "shipped" if weights is None else digest(weights),
        },
        seed=seed,
        device=machine(device, threads),
        overwrite=overwrite,
        as_json=as_json,
    )

    def work(run: "Run") -> dict[str, Any]:
        from .console import Meter, say

        motions = _read(found, stride)
        run.lap("reading")
        with Meter("learning") as meter:
            tuned = _tuned(weights, motions, run, meter.advance)
        run.lap("learning")
        _write(tuned, motions, run.record, run.directory)
        say(f"wrote {run.directory / 'flow.safetensors'}")
        return _summary(tuned, motions, run.directory)

    inputs = digests(*(file for one in found for file in one.files))
    result = request.once(inputs, out or Path(f"{trajectories.resolve().name}-train"), work)
    if not as_json:
        _show(result)


def _read(found: "list[Trajectory]", stride: int) -> "list[Motion]":
    """The trajectories, and a word about what they are worth."""
    from ..ensemble.fine_tuning import read_motion, worth
    from .console import note, say

    motions = [read_motion(one, stride) for one in found]
    say(f"read {sum(len(one.frames) for one in motions)} frames")
    words, enough = worth(motions)
    if enough:
        say(words)
    else:
        note("warning", words)
    return motions


def _tuned(weights: Path | None, motions: "list[Motion]", run: "Run", progress: Any) -> "FineTuned":
    from ..ensemble.fine_tuning import FineTuning, fine_tune
    from ..fold.flow_weights import FlowModel, load_flow

    beside = ("stride", "threads", "weights")
    asked = {key: value for key, value in run.record.arguments.items() if key not in beside}
    model = load_flow(weights)
    model = FlowModel(model.network.to(run.record.device), model.path, model.origin)
    return fine_tune(model, motions, FineTuning(**asked, seed=run.record.seed), run.checkpoint(), progress)


def _write(tuned: "FineTuned", motions: "list[Motion]", record: Any, directory: Path) -> None:
    from ..fold.flow_weights import save_flow
    from ..io import write_table
    from ..report.literature import FLOW, write_citations
    from ..report.training import write_training_page

    save_flow(tuned.model, directory / "flow.safetensors")
    rows = [(int(step), f"{learnt:.5f}", f"{held:.5f}") for step, learnt, held in tuned.course.tolist()]
    write_table(directory / "training.csv", ("step", "learnt", "held_out"), rows, overwrite=True)
    write_citations(directory, FLOW)
    write_training_page(tuned, motions, record, directory / "training.html")


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
