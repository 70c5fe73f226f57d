"""ΔΔG of a scan as a picture: residues along, types down; and a page that says the same in words."""

from collections.abc import Sequence
from pathlib import Path

from ..ensemble.ddg import StabilityChange
from ..io import atomic_write
from .charts import scan_chart
from .literature import STABILITY, cited
from .numbers import signed
from .plain import Figure, Page, Table, write_page

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
    write_page(_page(places, grid, name), directory / "heatmap.html")


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


def _page(places: list[str], grid: dict[tuple[str, str], float], name: str) -> Page:
    """A picture and one table; colours repeat what the numbers say."""
    rows = [[place, *(_number(grid.get((place, kind))) for kind in TYPES)] for place in places]
    shades = [[grid.get((place, kind), 0.0) / LARGEST for kind in TYPES] for place in places]
    drawn = places[:PLACES_A_PICTURE]
    inside = {(place, kind): grid[place, kind] for place in drawn for kind in TYPES if (place, kind) in grid}
    figure = Figure.wide(
        "The scan",
        lambda width: scan_chart(
            "scan",
            f"{name}: ΔΔG of single mutations",
            drawn,
            TYPES,
            inside,
            key="ΔΔG, kcal/mol",
            largest=LARGEST,
            width=width,
        ),
        "Places along, new types down; warm destabilises.",
    )
    return Page(
        name,
        "ΔΔG of single mutations · motet ddg",
        ["In kcal/mol; positive, warm, destabilises.", "Each row is a place, each column what it is mutated to."],
        [figure, Table("ΔΔG, kcal/mol", ("place", *TYPES), rows, shades, broad=True)],
        cited(STABILITY),
    )


def _number(value: float | None) -> str:
    return "" if value is None else signed(value, 1)
