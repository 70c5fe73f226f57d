"""The total energy over the ensemble, state by state."""

from itertools import pairwise

import torch
from markupsafe import Markup

from ...ensemble import Analysis
from ..numbers import percent, significant
from ..palette import state_colour
from .axes import Frame, Scale, x_axis, y_axis
from .chart import Chart, Hover
from .svg import Length, drawing, element, number


def energy_distribution_chart(analysis: Analysis, width: Length = 460, height: Length = 300) -> Chart:
    """Weighted histogram of the total energy, the states stacked in their colours."""
    energies = analysis.ensemble.total_energies.double().cpu()
    frame = Frame(width, height)
    bins = min(max(round(len(energies) ** 0.5), 6), 30)
    low, high = float(energies.min()), float(energies.max())
    high = high if high > low else low + 1.0
    shares = _histogram(analysis, energies, low, high, bins)
    x = Scale.over([low, high], *frame.x)
    y = Scale.over([0.0, float(shares.sum(0).max())], *frame.y, zero=True)
    edges = [low + (high - low) * i / bins for i in range(bins + 1)]
    parts = [y_axis(frame, y, "share of the ensemble"), *_bars(shares, edges, x, y)]
    parts.append(x_axis(frame, x, "total energy (kcal/mol)", about=5))
    totals = shares.sum(0).tolist()
    said = [
        f"{significant(a, 4)} to {significant(b, 4)} kcal/mol\n{percent(total)} of the ensemble"
        for a, b, total in zip(edges[:-1], edges[1:], totals, strict=True)
    ]
    middles = [x((a + b) / 2) for a, b in pairwise(edges)]
    description = f"Total energies from {significant(low, 4)} to {significant(high, 4)} kcal/mol."
    drawn = drawing(width, height, "Distribution of the total energy", description, *parts)
    return Chart("energy-distribution", drawn, Hover(middles, [y(total) for total in totals], said, "x"))


def _histogram(analysis: Analysis, energies: torch.Tensor, low: Length, high: Length, bins: int) -> torch.Tensor:
    """Weight in each bin, `states bins`."""
    place = ((energies - low) / (high - low) * bins).long().clamp(0, bins - 1)
    shares = torch.zeros(len(analysis.states), bins, dtype=torch.float64)
    labels = analysis.states.labels.cpu()
    return shares.index_put_((labels, place), analysis.ensemble.weights.double().cpu(), accumulate=True)


def _bars(shares: torch.Tensor, edges: list[float], x: Scale, y: Scale) -> list[Markup]:
    """One path a state: its bars stand on those of the states before it."""
    base = torch.cumsum(shares, 0) - shares
    paths = []
    for label, (below, own) in enumerate(zip(base.tolist(), shares.tolist(), strict=True)):
        bars = [
            f"M{number(x(a) + 0.5)} {number(y(under))}H{number(x(b) - 0.5)}V{number(y(under + share))}"
            f"H{number(x(a) + 0.5)}z"
            for a, b, under, share in zip(edges[:-1], edges[1:], below, own, strict=True)
            if share > 0
        ]
        paths.append(element("path", d="".join(bars), fill=state_colour(label)))
    return paths
