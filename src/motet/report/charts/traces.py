"""What the replicas did: RMSD, radius of gyration and energy along them."""

from dataclasses import dataclass

import torch
from markupsafe import Markup

from ...ensemble import Analysis
from ..names import conformation_name, replica_name, state_name
from ..numbers import significant
from .axes import Frame, Scale, x_axis, y_axis
from .chart import Chart, Hover
from .marks import state_dots
from .svg import Length, drawing, element, polyline, text

PANEL = 160
FOOT = 44
FS_PER_PS = 1000.0


@dataclass(frozen=True)
class _Series:
    """One quantity along the replicas."""

    name: str
    unit: str
    values: list[float]


def traces_chart(analysis: Analysis, width: Length) -> Chart:
    """One panel a quantity; a grey line is a replica, a dot a conformation in the colour of its state."""
    series = _series(analysis)
    when, label = _when(analysis)
    height = PANEL * len(series) + FOOT
    panels = [Frame(width, PANEL * (i + 1) + FOOT, top=PANEL * i + 38, bottom=FOOT) for i in range(len(series))]
    x = Scale.over(when, *panels[0].x)
    parts, hover_x, hover_y, said = [], [], [], []
    for panel, one in zip(panels, series, strict=True):
        y = Scale.over(one.values, *panel.y)
        points = [(x(a), y(b)) for a, b in zip(when, one.values, strict=True)]
        parts.append(_panel(analysis, panel, x, y, one, points, last=panel is panels[-1], label=label))
        hover_x += [p[0] for p in points]
        hover_y += [p[1] for p in points]
        said += _said(analysis, one)
    description = "; ".join(
        f"{one.name} from {significant(min(one.values))} to {significant(max(one.values))} {one.unit}"
        for one in series
    )
    drawn = drawing(width, height, "Along the replicas", description, *parts)
    return Chart(f"traces-{int(width)}", drawn, Hover(hover_x, hover_y, said))


def _series(analysis: Analysis) -> list[_Series]:
    observables, ensemble = analysis.observables, analysis.ensemble
    series = [
        _Series("RMSD to the first conformation", "Å", observables.rmsd_to_first.tolist()),
        _Series("radius of gyration", "Å", observables.radius_of_gyration.tolist()),
    ]
    if ensemble.energy_terms:
        series.append(_Series("total energy", "kcal/mol", ensemble.total_energies.tolist()))
    return series


def _when(analysis: Analysis) -> tuple[list[float], str]:
    """Time of each conformation, or its step where no time step is known; its number where there are no steps."""
    step, settings = analysis.ensemble.step, analysis.ensemble.provenance.settings
    if (step == step[:1]).all():
        return [float(i) for i in range(len(step))], "conformation"
    if "timestep" in settings:
        return (step.double() * float(settings["timestep"]) / FS_PER_PS).tolist(), "time (ps)"
    return step.double().tolist(), "step"


def _panel(
    analysis: Analysis,
    frame: Frame,
    x: Scale,
    y: Scale,
    one: _Series,
    points: list[tuple[float, float]],
    *,
    last: bool,
    label: str,
) -> Markup:
    parts = [y_axis(frame, y, "", about=4)]
    if last:
        parts.append(x_axis(frame, x, label))
    replica, step = analysis.ensemble.replica, analysis.ensemble.step
    for chain in replica.unique():
        members = torch.nonzero(replica == chain).squeeze(-1)
        order = members[step[members].argsort(stable=True)].tolist()
        if len(order) > 1:
            parts.append(element("path", d=polyline(points[i] for i in order), class_="trace"))
    parts.append(state_dots(points, analysis.states.labels.tolist(), size=4))
    parts.append(text(f"{one.name} ({one.unit})", frame.left, frame.top - 12, "start", "label"))
    return Markup("").join(parts)


def _said(analysis: Analysis, one: _Series) -> list[str]:
    rows = zip(one.values, analysis.states.labels.tolist(), analysis.ensemble.replica.tolist(), strict=True)
    return [
        f"{conformation_name(i)}, {replica_name(replica)}, {state_name(label)}\n"
        f"{one.name} {significant(value, 4)} {one.unit}"
        for i, (value, label, replica) in enumerate(rows)
    ]
