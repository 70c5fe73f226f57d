"""Residues as an axis: chains end to end, numbered as in the file."""

import numpy as np
from markupsafe import Markup

from ...ensemble import Analysis
from .axes import Frame, Scale
from .svg import element, number, text


def chains(analysis: Analysis) -> list[tuple[str, int, int]]:
    """Chains of the residues that were measured: name, first and last, counted along the axis."""
    topology = analysis.ensemble.structure.topology
    owner = topology.chain_of_residue[analysis.observables.residue_index.numpy()]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    ends = [*(starts[1:] - 1), len(owner) - 1]
    return [(str(topology.chain_ids[owner[a]]), int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def round_residues(analysis: Analysis, about: int) -> list[tuple[int, str]]:
    """Residues to name on an axis: about so many, at round numbers, each with the number in the file."""
    topology = analysis.ensemble.structure.topology
    index = analysis.observables.residue_index.numpy()
    numbers, codes = topology.residue_numbers[index], topology.insertion_codes[index]
    steps = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
    step = next((s for s in steps if len(index) / s <= max(about, 2)), 10_000)
    return [(int(i), str(numbers[i])) for i in np.flatnonzero((numbers % step == 0) & (codes == ""))]


def residue_ticks(analysis: Analysis, x: Scale, frame: Frame, about: int) -> Markup:
    """Numbers below a residue axis, and its label."""
    bottom = frame.y[0]
    parts = []
    for i, words in round_residues(analysis, about):
        parts.append(element("path", d=f"M{number(x(i))} {number(bottom)}v4", class_="axis"))
        parts.append(text(words, x(i), bottom + 17, "middle", "tick"))
    parts.append(text("residue", sum(frame.x) / 2, frame.height - 6, "middle", "label"))
    return Markup("").join(parts)


def residue_ticks_upright(analysis: Analysis, y: Scale, frame: Frame, about: int) -> Markup:
    """The same along the left edge."""
    parts = [element("path", d=f"M{frame.left} {frame.top}V{number(frame.y[0])}", class_="axis")]
    for i, words in round_residues(analysis, about):
        parts.append(element("path", d=f"M{frame.left} {number(y(i))}h-4", class_="axis"))
        parts.append(text(words, frame.left - 8, y(i), "end", "tick", dominant_baseline="central"))
    return Markup("").join(parts)
