"""The free-energy map on two principal components, with the conformations and the states' medoids on it."""

import math
from itertools import groupby

from markupsafe import Markup

from ...ensemble import Analysis
from ..names import conformation_name, state_name
from ..numbers import count, percent, significant
from ..palette import RAMP_LEVELS
from .axes import Frame, Scale, x_axis, y_axis
from .chart import Chart, Hover
from .marks import state_dots, state_mark
from .ramp import above_key, level, ramp_key, square_frame
from .svg import Length, cells, drawing, element


def free_energy_chart(analysis: Analysis, width: Length = 460) -> Chart:
    """Colour is -kT ln p, strongest where the ensemble stays most; a dot is a conformation, a number a state."""
    principal, surface = analysis.observables.principal, analysis.free_energy_map
    first, second = _plane(analysis)
    frame = square_frame(width)
    x = Scale.over([*first, *surface.x.tolist()], *frame.x)
    y = Scale.over([*second, *surface.y.tolist()], *frame.y)
    points = [(x(a), y(b)) for a, b in zip(first, second, strict=True)]
    low, high, drawn = _surface(analysis, x, y)
    explained = [*principal.explained.tolist(), 0.0, 0.0]
    parts = [
        _ground(frame),
        *drawn,
        x_axis(above_key(frame), x, f"first component (Å), {percent(explained[0])} of the variance"),
        y_axis(frame, y, f"second component (Å), {percent(explained[1])}", grid=False),
        state_dots(points, analysis.states.labels.tolist()),
        *[state_mark(*points[state.medoid], state.label) for state in reversed(analysis.states.states)],
        ramp_key(
            frame, "free energy (kcal/mol)", significant(low), significant(high, 2), reverse=True, kind="shade"
        ),
    ]
    hover = Hover([p[0] for p in points], [p[1] for p in points], _said(analysis))
    description = (
        f"Free energy of {count(len(points), 'conformation')} over two principal components, from 0 to "
        f"{significant(high, 2)} kcal/mol, with {count(len(analysis.states), 'state')} marked."
    )
    return Chart("free-energy", drawing(width, frame.height, "Free-energy map", description, *parts), hover)


def _plane(analysis: Analysis) -> tuple[list[float], list[float]]:
    """Each conformation on the first two components; 0 along one that does not exist."""
    projections = analysis.observables.principal.projections
    columns = [projections[:, k].tolist() for k in range(min(2, projections.shape[1]))]
    flat = [0.0] * projections.shape[0]
    first, second = [*columns, flat, flat][:2]
    return first, second


def _ground(frame: Frame) -> Markup:
    (left, right), (bottom, top) = frame.x, frame.y
    return element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="plot")


def _surface(analysis: Analysis, x: Scale, y: Scale) -> tuple[float, float, list[Markup]]:
    """The bins that were seen, one path for each step of the ramp: lowest and highest value, and the paths."""
    surface = analysis.free_energy_map
    columns, rows, values = surface.x.tolist(), surface.y.tolist(), surface.values.tolist()
    seen = [
        (value, column, row)
        for row, line in zip(rows, values, strict=True)
        for column, value in zip(columns, line, strict=True)
        if math.isfinite(value)
    ]
    if not seen:
        return 0.0, 0.0, []
    low, high = min(seen)[0], max(seen)[0]
    wide, tall = _spacing(columns, x), _spacing(rows, y)
    leveled = sorted((RAMP_LEVELS - 1 - level(value, low, high), a, b) for value, a, b in seen)
    return (
        low,
        high,
        [
            element(
                "path",
                d=cells([(x(a) - wide / 2, y(b) - tall / 2) for _, a, b in group], wide, tall),
                class_=f"shade-{step}",
            )
            for step, group in groupby(leveled, key=lambda cell: cell[0])
        ],
    )


def _spacing(centres: list[float], scale: Scale) -> float:
    """Width of a bin on paper, a hair over so that neighbours leave no gap."""
    if len(centres) < 2:
        return 12.0
    return abs(scale(centres[1]) - scale(centres[0])) + 0.3


def _said(analysis: Analysis) -> list[str]:
    labels = analysis.states.labels.tolist()
    return [
        f"{conformation_name(i)}\n{state_name(label)}, weight {percent(weight)}"
        for i, (label, weight) in enumerate(zip(labels, analysis.ensemble.weights.tolist(), strict=True))
    ]
