"""The contact map: which residues touch, and how often."""

from itertools import groupby

from markupsafe import Markup

from ...ensemble import Analysis
from ..numbers import percent
from ..palette import RAMP_LEVELS
from .axes import Frame, Scale
from .chart import Chart, Hover
from .ramp import above_key, level, ramp_key, square_frame
from .residues import chains, residue_ticks, residue_ticks_upright
from .svg import Length, cells, drawing, element, number

COMES_AND_GOES = (0.1, 0.9)  # occupancies between which a contact is said to come and go


def contact_chart(analysis: Analysis, width: Length = 460) -> Chart:
    """Above the diagonal all contacts by occupancy; below it those alone that come and go."""
    observables = analysis.observables
    count = len(observables.residue_labels)
    frame = square_frame(width)
    x = Scale(-0.5, count - 0.5, *frame.x)
    y = Scale(-0.5, count - 0.5, *frame.y)
    contacts = [
        (*pair, share)
        for pair, share in zip(
            observables.contacts.pairs.tolist(), observables.contacts.occupancy.tolist(), strict=True
        )
    ]
    low, high = COMES_AND_GOES
    passing = [(i, j, share) for i, j, share in contacts if low <= share <= high]
    shown = [(i, j, share) for i, j, share in contacts] + [(j, i, share) for i, j, share in passing]
    parts = [
        _ground(frame, analysis, x, y),
        *_cells(shown, x, y, x(1.0) - x(0.0)),
        residue_ticks(analysis, x, above_key(frame), about=6),
        residue_ticks_upright(analysis, y, frame, about=6),
        ramp_key(frame, "share of the ensemble in contact", "0 %", "100 %"),
    ]
    labels = observables.residue_labels
    said = [f"{labels[min(i, j)]} and {labels[max(i, j)]}\nin contact {percent(share)}" for i, j, share in shown]
    hover = Hover(
        [x(i) for i, _, _ in shown],
        [y(j) for _, j, _ in shown],
        said,
        reach=max(8.0, x(1.0) - x(0.0)),
        residues=[[i, j] for i, j, _ in shown],
    )
    description = (
        f"{len(contacts)} pairs of residues touch in some conformation; "
        f"{len(passing)} of them in 10 to 90 % of the ensemble."
    )
    return Chart("contacts", drawing(width, frame.height, "Contact map", description, *parts), hover)


def _ground(frame: Frame, analysis: Analysis, x: Scale, y: Scale) -> Markup:
    """The square, its diagonal, and lines where one chain ends and the next begins."""
    (left, right), (bottom, top) = frame.x, frame.y
    parts = [
        element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="plot"),
        element("path", d=f"M{number(left)} {number(bottom)}L{number(right)} {number(top)}", class_="divide"),
    ]
    for _, first, _ in chains(analysis)[1:]:
        edge = f"M{number(x(first - 0.5))} {number(top)}V{number(bottom)}"
        across = f"M{number(left)} {number(y(first - 0.5))}H{number(right)}"
        parts.append(element("path", d=edge + across, class_="divide"))
    return Markup("").join(parts)


def _cells(shown: list[tuple[int, int, float]], x: Scale, y: Scale, size: Length) -> list[Markup]:
    """One path for each step of the ramp; a cell is drawn no smaller than a pixel."""
    size = max(size, 1.2)
    leveled = sorted((level(share, 0.0, 1.0), i, j) for i, j, share in shown)
    return [
        element(
            "path",
            d=cells([(x(i) - size / 2, y(j) - size / 2) for _, i, j in group], size, size),
            class_=f"ramp-{step}",
        )
        for step, group in groupby(leveled, key=lambda cell: cell[0])
        if step < RAMP_LEVELS
    ]
