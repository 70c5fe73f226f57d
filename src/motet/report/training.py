"""The page of a fine-tuning: how the loss went, and whether the data were enough."""

from pathlib import Path

from ..ensemble.fine_tuning import FineTuned, Motion, worth
from ..ensemble.run_record import RunRecord
from .charts import lines_chart
from .literature import FLOW, cited
from .numbers import count, significant
from .plain import Figure, Page, Table, write_page


def write_training_page(tuned: FineTuned, motions: list[Motion], record: RunRecord, path: Path) -> None:
    """Losses look by look, and what each trajectory is worth."""
    before, after = (float(tuned.course[look, 2]) for look in (0, tuned.best))
    step = int(tuned.course[tuned.best, 0])
    verdict = (
        f"The loss on frames that were not learnt from fell from {significant(before)} to {significant(after)}, "
        f"which was reached after {count(step, 'step')}; the weights are those of that step."
        if step
        else "No step made the loss on frames that were not learnt from any smaller: the weights are as they were."
    )
    rows = [
        [one.name, str(one.frames.shape[1]), str(len(one.frames)), f"{one.independent_frames:.0f}",
         str(int(one.held_out.sum()))]
        for one in motions
    ]  # fmt: skip
    columns = ["Trajectory", "Residues", "Frames", "Independent frames", "Held out"]
    table = Table(
        "What there was to learn from; pieces of each trajectory were held out, not single frames.", columns, rows
    )
    learnt, held = tuned.course[1:, 1].tolist(), tuned.course[1:, 2].tolist()
    figures = [_losses(learnt, held, record.arguments["every"])] if learnt else []
    write_page(
        Page(
            "Fine-tuning",
            "Training report · motet train",
            [verdict, worth(motions)[0]],
            [*figures, table],
            cited(FLOW),
            [text for _, text in record.notes],
        ),
        path,
    )


def _losses(learnt: list[float], held: list[float], every: int) -> Figure:
    series = {"learnt from": learnt, "held out": held}
    return Figure.wide(
        "Loss",
        lambda width: lines_chart("loss", "Loss", series, x_label=f"look, every {every} steps", width=width),
        "Learning stops when the loss on held-out frames no longer falls. It is taken at three levels of noise, "
        "the other at all, so the two are not to be compared.",
    )
