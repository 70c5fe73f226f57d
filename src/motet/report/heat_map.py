"""ΔΔG of a scan as a picture: residues along, types down; and a page that says the same in words."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..ensemble.ddg import StabilityChange
from ..io import atomic_write, write_text

TYPES = "GAVLIMCFYWPSTNQHKRDE"
LARGEST = 4.0  # kcal/mol at which the colours end
PLACES_A_PICTURE = 400


def write_heat_map(changes: Sequence[StabilityChange], name: str, directory: Path) -> None:
    """Write heatmap.png and heatmap.html of all single mutations; the page shows every number, too."""
    places, grid = _grid(changes)
    if not places:
        return
    with atomic_write(directory / "heatmap.png", overwrite=True) as temporary:
        _draw(places[:PLACES_A_PICTURE], grid, name, temporary)
    write_text(directory / "heatmap.html", _page(places, grid, name), overwrite=True)


def _grid(changes: Sequence[StabilityChange]) -> tuple[list[str], dict[tuple[str, str], float]]:
    """Places in order, and ΔΔG by place and new type; the wild type's is zero."""
    places: dict[str, None] = {}
    grid: dict[tuple[str, str], float] = {}
    for change in changes:
        if len(change.mutations) == 1:
            text = change.mutations[0]
            place = text[:-1]
            places[place] = None
            grid[place, text[-1].upper()] = change.ddg
            grid[place, place.split(":")[-1][0].upper()] = 0.0
    return list(places), grid


def _draw(places: list[str], grid: dict[tuple[str, str], float], name: str, path: Path) -> None:
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    values = np.array([[grid.get((place, kind), np.nan) for place in places] for kind in TYPES])
    figure = Figure(figsize=(max(4.0, 1.6 + 0.16 * len(places)), 4.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    drawn = axes.imshow(values, cmap="RdBu_r", vmin=-LARGEST, vmax=LARGEST, aspect="auto", interpolation="nearest")
    axes.set_yticks(range(len(TYPES)), TYPES, fontsize=7)
    step = max(1, len(places) // 60)
    axes.set_xticks(range(0, len(places), step), places[::step], rotation=90, fontsize=6)
    axes.set_title(f"{name}: ΔΔG of single mutations", fontsize=9)
    figure.colorbar(drawn, ax=axes, label="ΔΔG, kcal/mol (red destabilises)", shrink=0.8)
    figure.savefig(path, format="png")


def _page(places: list[str], grid: dict[tuple[str, str], float], name: str) -> str:
    """One table; colours repeat what the numbers say."""
    head = "".join(f"<th scope='col'>{kind}</th>" for kind in TYPES)
    rows = "".join(
        f"<tr><th scope='row'>{escape(place)}</th>"
        + "".join(_cell(grid.get((place, kind))) for kind in TYPES)
        + "</tr>\n"
        for place in places
    )
    return (
        f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{escape(name)}: ΔΔG</title>\n"
        "<style>body{font:14px system-ui;margin:2em}table{border-collapse:collapse}"
        "td,th{padding:2px 6px;text-align:right}thead th{position:sticky;top:0;background:#fff}</style>\n"
        f"<h1>{escape(name)}: ΔΔG of single mutations</h1>\n"
        "<p>kcal/mol; positive, red, destabilises. Each row is a place, each column what it is mutated to.</p>\n"
        "<p><img src='heatmap.png' alt='Heat map of the table below' style='max-width:100%'></p>\n"
        f"<table><thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></html>\n"
    )


def _cell(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    share = min(abs(value) / LARGEST, 1.0)
    fade = round(255 * (1 - 0.75 * share))
    colour = f"rgb(255,{fade},{fade})" if value > 0 else f"rgb({fade},{fade},255)"
    return f"<td style='background:{colour}'>{value:+.1f}</td>"
