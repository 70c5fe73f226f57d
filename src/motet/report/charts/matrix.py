"""A square matrix over residues as a map from pale to strong."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from .axes import Scale, x_axis, y_axis
from .chart import Chart, Hover
from .ramp import above_key, level, ramp_key, square_frame
from .svg import Length, cells, drawing, element

MOST_CELLS = 90  # along a side: longer chains are drawn by averages


def matrix_chart(
    name: str,
    title: str,
    values: Float[Tensor, "residues residues"],
    *,
    key: str,
    low: float,
    high: float,
    unit: str = "",
    width: Length = 460,
) -> Chart:
    """Value of each pair of residues, row below, column across, counted from 1."""
    residues = len(values)
    side = min(residues, MOST_CELLS)
    shown = adaptive_avg_pool2d(values[None].float(), side)[0].tolist()
    frame = square_frame(width)
    x, y = Scale(0.5, residues + 0.5, *frame.x), Scale(0.5, residues + 0.5, frame.y[1], frame.y[0])
    step = (frame.x[1] - frame.x[0]) / side
    left, top = frame.x[0], frame.y[1]
    steps: dict[int, list[tuple[Length, Length]]] = {}
    for i, row in enumerate(shown):
        for j, value in enumerate(row):
            steps.setdefault(level(value, low, high), []).append((left + step * j, top + step * i))
    parts = [element("path", d=cells(corners, step, step), class_=f"ramp-{n}") for n, corners in steps.items()]
    parts += [
        y_axis(frame, y, "residue", grid=False),
        x_axis(above_key(frame), x, ""),
        ramp_key(frame, key, f"{low:g}{unit}", f"{high:g}{unit}"),
    ]
    mean = float(torch.as_tensor(shown).mean())
    drawn = drawing(width, frame.height, title, f"{residues} residues, mean {mean:.3g}{unit}.", *parts)
    return Chart(name, drawn, Hover([], [], []))
