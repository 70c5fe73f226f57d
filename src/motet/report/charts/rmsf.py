"""Fluctuation along the chain."""

from markupsafe import Markup

from ...ensemble import Analysis
from ..numbers import significant
from ..palette import FLEXIBILITY_RAMP
from .axes import Frame, Scale, x_axis, y_axis
from .chart import Chart, Hover
from .residues import chains, residue_ticks
from .svg import Length, drawing, element, number, polyline, text


def rmsf_chart(analysis: Analysis, width: Length, height: Length = 270) -> Chart:
    """RMSF of each residue, coloured as in 3-D; the line breaks between chains."""
    observables = analysis.observables
    values = observables.rmsf.tolist()
    frame = Frame(width, height, top=24)
    x = Scale(-0.5, len(values) - 0.5, *frame.x)
    y = Scale.over(values, *frame.y, zero=True)
    points = [(x(i), y(value)) for i, value in enumerate(values)]
    name = f"rmsf-{int(width)}"
    parts = [
        y_axis(frame, y, "RMSF (Å)"),
        x_axis(frame, x, "", names=False),
        _gradient(name, y(min(values)), y(max(values))),
    ]
    several = chains(analysis)
    for chain, first, last in several:
        parts.append(_curve(points[first : last + 1], frame, name))
        if len(several) > 1:
            parts.append(_chain_name(chain, x(first - 0.5), frame))
    parts.append(residue_ticks(analysis, x, frame, about=int(width // 90)))
    labels = observables.residue_labels
    said = [f"{label}\nRMSF {significant(value)} Å" for label, value in zip(labels, values, strict=True)]
    hover = Hover(
        [p[0] for p in points], [p[1] for p in points], said, "x", residues=[[i] for i in range(len(values))]
    )
    highest = max(range(len(values)), key=values.__getitem__)
    description = (
        f"Fluctuation of {len(values)} residues, largest at {labels[highest]}: {significant(values[highest])} Å."
    )
    return Chart(name, drawing(width, height, "RMSF along the chain", description, *parts), hover)


def _gradient(name: str, lowest: float, highest: float) -> Markup:
    """The ramp of the 3-D view, laid over the heights that the values reach."""
    stops = [
        element("stop", offset=f"{100 * i / (len(FLEXIBILITY_RAMP) - 1):.0f}%", stop_color=colour)
        for i, colour in enumerate(FLEXIBILITY_RAMP)
    ]
    return element(
        "linearGradient",
        *stops,
        id=f"{name}-ramp",
        gradientUnits="userSpaceOnUse",
        x1=0,
        x2=0,
        y1=lowest,
        y2=highest,
    )


def _curve(points: list[tuple[float, float]], frame: Frame, name: str) -> Markup:
    """The line and the area under it; one residue alone is a dot."""
    bottom = frame.y[0]
    paint = f"url(#{name}-ramp)"
    if len(points) == 1:
        return element("circle", cx=points[0][0], cy=points[0][1], r=3, fill=paint)
    line = polyline(points)
    closed = f"{line}V{number(bottom)}H{number(points[0][0])}Z"
    return Markup("").join(
        [
            element("path", d=closed, fill=paint, fill_opacity=0.16),
            element("path", d=line, fill="none", stroke=paint, stroke_width=2.2, stroke_linejoin="round"),
        ]
    )


def _chain_name(chain: str, x: Length, frame: Frame) -> Markup:
    """Where a chain begins."""
    edge = element("path", d=f"M{number(x)} {frame.top - 12}V{number(frame.y[0])}", class_="divide")
    return edge + text(f"chain {chain}", x + 5, frame.top - 8, class_="tick")
