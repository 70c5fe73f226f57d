"""A number for each place and each type, as a map from cold to warm."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ..palette import shade
from .axes import Frame, Scale
from .chart import Chart, Hover
from .svg import Length, cells, drawing, element, text

STEPS = 8  # of colour, on either side of zero
CHARACTER = 7.0  # width of a letter of a tick, about


def scan_chart(
    name: str,
    title: str,
    places: Sequence[str],
    types: str,
    values: Mapping[tuple[str, str], float],
    *,
    key: str,
    largest: float,
    width: Length,
) -> Chart:
    """Places along, types down; colours end at `largest`, and what has no value stays bare."""
    longest = max(len(place) for place in places)
    frame = Frame(width, 15 * len(types) + 68 + CHARACTER * longest, left=30, bottom=54 + CHARACTER * longest)
    x = Scale(0, len(places), *frame.x)
    y = Scale(0, len(types), frame.y[1], frame.y[0])
    steps: dict[int, list[tuple[Length, Length]]] = {}
    column_of, row_of = ({name: at for at, name in enumerate(names)} for names in (places, types))
    for (place, kind), value in values.items():
        step = round(STEPS * min(max(value / largest, -1.0), 1.0))
        steps.setdefault(step, []).append((x(column_of[place]), y(row_of[kind])))
    across, down = x(1) - x(0), y(1) - y(0)
    parts = [element("path", d=cells(at, across, down), style=_fill(step)) for step, at in sorted(steps.items())]
    parts += [
        text(kind, 22, y(row + 0.5), "end", "tick", dominant_baseline="central") for row, kind in enumerate(types)
    ]
    parts += [_place(place, x(column + 0.5), frame) for column, place in _named(places, frame)]
    parts.append(_key(key, largest, frame))
    words = f"{len(places)} places, {len(types)} types; the table below has every number."
    return Chart(name, drawing(width, frame.height, title, words, *parts), Hover([], [], []))


def _fill(step: int) -> str:
    return f"fill: {shade(step / STEPS, 90)}"


def _named(places: Sequence[str], frame: Frame) -> list[tuple[int, str]]:
    """As many places as there is room for, each with its column."""
    room = int((frame.x[1] - frame.x[0]) / 14)
    every = -(-len(places) // room)
    return list(enumerate(places))[::every]


def _place(place: str, x: float, frame: Frame) -> Markup:
    y = frame.y[0] + 8
    return text(place, x, y, "end", "tick", transform=f"rotate(-90 {x:.1f} {y:.1f})", dominant_baseline="central")


def _key(label: str, largest: float, frame: Frame) -> Markup:
    size, y = 12.0, frame.height - 34
    left = sum(frame.x) / 2 - size * (STEPS + 0.5)
    parts = [
        element("rect", x=left + size * (step + STEPS), y=y, width=size, height=10, style=_fill(step))
        for step in range(-STEPS, STEPS + 1)
    ]
    right = left + size * (2 * STEPS + 1)
    parts.append(text(f"-{largest:g}", left - 8, y + 5, "end", "tick", dominant_baseline="central"))
    parts.append(text(f"+{largest:g}", right + 8, y + 5, "start", "tick", dominant_baseline="central"))
    parts.append(text(label, sum(frame.x) / 2, frame.height - 6, "middle", "label"))
    return Markup("").join(parts)
