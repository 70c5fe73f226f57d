"""φ against ψ, on the regions that well-determined residues of the same class keep to."""

import math
from itertools import groupby

import numpy as np
from markupsafe import Markup

from ...validation import RAMACHANDRAN, Validation, Verdict
from ...validation.grids import grids
from ...validation.ramachandran import ALLOWED, FAVOURED
from ..numbers import count
from .axes import Frame, Scale
from .chart import Chart, Hover
from .svg import Length, dots, drawing, element, number, text

TITLES = {
    "general": "General",
    "glycine": "Glycine",
    "ile_val": "Isoleucine and valine",
    "before_proline": "Before proline",
    "trans_proline": "Proline, trans",
    "cis_proline": "Proline, cis",
}
TICKS = (-180, -90, 0, 90, 180)


def ramachandran_charts(validation: Validation, width: Length = 330) -> list[Chart]:
    """A plot for each class that occurs in the first model; outliers are rings, and carry their names."""
    kinds = validation.ramachandran.kind[0].numpy()
    present = [(index, name) for index, name in enumerate(RAMACHANDRAN) if (kinds == index).any()]
    return [_chart(validation, name, np.flatnonzero(kinds == index), width) for index, name in present]


def _chart(validation: Validation, name: str, rows: np.ndarray, width: Length) -> Chart:
    found, topology = validation.ramachandran, validation.structure.topology
    frame = Frame(width, width, left=46, bottom=40, top=10, right=12)
    x, y = Scale(-180, 180, *frame.x), Scale(-180, 180, *frame.y)
    points = [
        (x(math.degrees(phi)), y(math.degrees(psi)))
        for phi, psi in zip(found.phi[0, rows].tolist(), found.psi[0, rows].tolist(), strict=True)
    ]
    verdicts = found.verdict[0, rows].tolist()
    bad = [point for point, verdict in zip(points, verdicts, strict=True) if verdict == Verdict.OUTLIER]
    good = [point for point, verdict in zip(points, verdicts, strict=True) if verdict != Verdict.OUTLIER]
    labels = [topology.residue_label(int(row)) for row in rows]
    (left, right), (bottom, top) = frame.x, frame.y
    parts = [
        element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="plot"),
        element("path", d=_region(name, ALLOWED[name], x, y), class_="shade-1"),
        element("path", d=_region(name, FAVOURED, x, y), class_="shade-4"),
        _axes(frame, x, y),
        element("path", d=dots(good), class_="dots", stroke="#0072b2", stroke_width=4.5),
        *[element("circle", cx=a, cy=b, r=5, fill="none", stroke="#d55e00", stroke_width=2.2) for a, b in bad],
        *[
            text(label.split(":")[-1], a + 8, b, "start", "tick", dominant_baseline="central")
            for label, (a, b), verdict in zip(labels, points, verdicts, strict=True)
            if verdict == Verdict.OUTLIER
        ],
    ]
    said = [
        f"{label}\nφ {math.degrees(phi):.0f}°, ψ {math.degrees(psi):.0f}°, {Verdict(verdict).word}"
        for label, phi, psi, verdict in zip(
            labels, found.phi[0, rows].tolist(), found.psi[0, rows].tolist(), verdicts, strict=True
        )
    ]
    hover = Hover([p[0] for p in points], [p[1] for p in points], said, residues=[[int(row)] for row in rows])
    description = f"{TITLES[name]}: {count(len(rows), 'residue')}, {count(len(bad), 'outlier')}."
    title = f"Ramachandran plot, {TITLES[name].lower()}"
    return Chart(f"rama-{name.replace('_', '-')}", drawing(width, width, title, description, *parts), hover)


def _region(name: str, limit: float, x: Scale, y: Scale) -> str:
    """Where the share is at least the limit, as path data: one rectangle for each run of cells in a column."""
    seen = (grids()[name] >= limit).numpy()
    step = 360 / len(seen)
    path = []
    for column, cells in enumerate(seen):
        left, right = x(-180 + column * step), x(-180 + (column + 1) * step)
        place = 0
        for inside, run in groupby(cells.tolist()):
            length = len(list(run))
            if inside:
                low, high = y(-180 + place * step), y(-180 + (place + length) * step)
                path.append(f"M{number(left)} {number(high)}H{number(right + 0.2)}V{number(low)}H{number(left)}z")
            place += length
    return "".join(path)


def _axes(frame: Frame, x: Scale, y: Scale) -> Markup:
    (left, right), (bottom, top) = frame.x, frame.y
    parts = []
    for tick in TICKS:
        parts.append(text(f"{tick}", x(tick), bottom + 15, "middle", "tick"))
        parts.append(text(f"{tick}", left - 6, y(tick), "end", "tick", dominant_baseline="central"))
    parts.append(element("path", d=f"M{number(x(0))} {number(top)}V{number(bottom)}", class_="grid"))
    parts.append(element("path", d=f"M{number(left)} {number(y(0))}H{number(right)}", class_="grid"))
    parts.append(text("φ (degrees)", (left + right) / 2, frame.height - 8, "middle", "label"))
    middle = (bottom + top) / 2
    parts.append(text("ψ", 9, middle, "middle", "label"))
    return Markup("").join(parts)
