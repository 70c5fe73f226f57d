"""Several series over one axis, each named at its end."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ..numbers import significant
from ..palette import state_colour
from .axes import Frame, Scale, x_axis, y_axis
from .chart import Chart, Hover
from .svg import Length, drawing, element, polyline, text

MOST_POINTS = 600  # of a line: about as many as a screen can tell apart


def lines_chart(
    name: str,
    title: str,
    series: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str = "",
    width: Length = 460,
    height: Length = 230,
    y_range: tuple[float, float] | None = None,
) -> Chart:
    """Lines over 1, 2, 3, …; a name and a colour a series. Long ones are thinned."""
    frame = Frame(width, height, top=14 + 16 * len(series))
    longest = max(len(values) for values in series.values())
    x = Scale(0.5, longest + 0.5, *frame.x)
    low_high = y_range or tuple(value for values in series.values() for value in values)
    y = Scale(*y_range, *frame.y) if y_range else Scale.over(low_high, *frame.y)
    parts = [y_axis(frame, y, y_label), x_axis(frame, x, x_label)]
    places: list[tuple[float, float]] = []
    said: list[str] = []
    for number, (view, values) in enumerate(series.items()):
        shown = _thinned(values)
        points = [(x(i), y(value)) for i, value in shown]
        places += points
        said += [f"{view}, {i}\n{significant(value)}" for i, value in shown]
        parts.append(_line(points, state_colour(number)))
        if len(series) > 1:
            parts.append(_key(view, state_colour(number), frame.left, 10 + 16 * number))
    hover = Hover([p[0] for p in places], [p[1] for p in places], said)
    return Chart(name, drawing(width, height, title, _described(series), *parts), hover)


def _thinned(values: Sequence[float]) -> list[tuple[int, float]]:
    """Values, numbered from 1; of a long series the lowest and highest of each stretch: no peak is lost."""
    numbered = list(enumerate(values, start=1))
    if len(values) <= MOST_POINTS:
        return numbered
    stretch = math.ceil(2 * len(values) / MOST_POINTS)
    kept = {numbered[0], numbered[-1]}
    for start in range(0, len(values), stretch):
        part = numbered[start : start + stretch]
        kept |= {min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])}
    return sorted(kept)


def _line(points: list[tuple[float, float]], colour: str) -> Markup:
    if len(points) == 1:
        return element("circle", cx=points[0][0], cy=points[0][1], r=3, fill=colour)
    return element("path", d=polyline(points), fill="none", stroke=colour, stroke_width=2)


def _key(view: str, colour: str, x: Length, y: Length) -> Markup:
    stroke = element("path", d=f"M{x} {y}h18", stroke=colour, stroke_width=3)
    return stroke + text(view, x + 24, y, "start", "tick", dominant_baseline="central")


def _described(series: Mapping[str, Sequence[float]]) -> str:
    return "; ".join(f"{view} from {significant(v[0])} to {significant(v[-1])}" for view, v in series.items())
