"""Q along the chain, and the shell correlation of a model with its map."""

from markupsafe import Markup

from ...density.quality import MapQuality
from ...structure import Structure
from ..palette import FLEXIBILITY_RAMP
from .axes import Frame, Scale, x_axis, y_axis
from .chart import Chart, Hover
from .svg import Length, drawing, element, number, polyline, text


def q_chart(structure: Structure, quality: MapQuality, width: Length, height: Length = 250) -> Chart:
    """Mean Q of each residue that has one, in the order of the file."""
    topology = structure.topology
    scored = [(row, q) for row, q in enumerate(quality.q_of_residues(topology)) if q is not None]
    rows, values = [row for row, _ in scored], [q for _, q in scored]
    frame = Frame(width, height)
    x, y = Scale(-0.5, max(len(rows), 1) - 0.5, *frame.x), Scale(min([0.0, *values]), 1.0, *frame.y)
    points = [(x(place), y(value)) for place, value in enumerate(values)]
    overall = float(quality.q.mean)
    end = number(frame.width - frame.right)
    parts = [
        y_axis(frame, y, "Q"),
        x_axis(frame, x, "residues in the order of the file"),
        element("path", d=f"M{frame.left} {number(y(overall))}H{end}", class_="divide"),
        text(f"mean {overall:.2f}", frame.width - frame.right, y(overall) - 6, "end", "tick"),
        _curve(points),
    ]
    labels = [topology.residue_label(row) for row in rows]
    said = [f"{label}\nQ {value:.2f}" for label, value in zip(labels, values, strict=True)]
    hover = Hover([p[0] for p in points], [p[1] for p in points], said, "x", residues=[[row] for row in rows])
    description = f"Mean Q of {len(rows)} residues, {overall:.2f} over all atoms."
    return Chart(f"q-{int(width)}", drawing(width, height, "Q along the chain", description, *parts), hover)


def shells_chart(quality: MapQuality, width: Length, height: Length = 250) -> Chart:
    """Fourier shell correlation against spatial frequency, with its 0.5."""
    shells = quality.shells
    frequency, values = shells.frequency.tolist(), shells.values.tolist()
    frame = Frame(width, height)
    x, y = Scale(0.0, max(frequency), *frame.x), Scale(min([0.0, *values]), 1.0, *frame.y)
    points = [(x(a), y(b)) for a, b in zip(frequency, values, strict=True)]
    parts = [
        y_axis(frame, y, "FSC, model and map"),
        x_axis(frame, x, "spatial frequency (1/Å)"),
        element("path", d=f"M{frame.left} {number(y(0.5))}H{number(frame.width - frame.right)}", class_="divide"),
        _curve(points),
    ]
    said = [f"{1 / a:.2f} Å\nFSC {b:.2f}" for a, b in zip(frequency, values, strict=True)]
    hover = Hover([p[0] for p in points], [p[1] for p in points], said, "x")
    description = "Fourier shell correlation of the model with the map."
    return Chart(f"shells-{int(width)}", drawing(width, height, "Fourier shells", description, *parts), hover)


def _curve(points: list[tuple[float, float]]) -> Markup:
    if not points:
        return Markup("")
    return element("path", d=polyline(points), fill="none", stroke=FLEXIBILITY_RAMP[0], stroke_width=1.8)
