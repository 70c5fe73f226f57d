"""A page of sentences, tables and charts, for results that are not an ensemble; no script, nothing is fetched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from .. import __version__
from ..io import atomic_write
from .charts import Chart
from .literature import Work
from .page import NARROW, WIDE, environment, source

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        title: What it says.
        columns: What stands over them.
        rows: The first cell of each names it.
        shades: Behind each cell but a row's first, from -1 (strongest cold) to 1 (strongest warm).
        broad: Whether it is scrolled sideways on a small screen; others fold their rows up there.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    shades: Sequence[Sequence[float]] = ()
    broad: bool = False


@dataclass(frozen=True)
class Figure:
    """A chart with the sentence below it.

    Args:
        title: Over the chart.
        drawings: One, and two figures stand side by side; or two, for the whole width of a screen and for a phone.
        caption: Below it.
    """

    title: str
    drawings: Sequence[Chart]
    caption: str

    @classmethod
    def wide(cls, title: str, draw: Callable[[int], Chart], caption: str) -> "Figure":
        """A figure across the page; `draw` makes its chart for a width."""
        return cls(title, (draw(WIDE), draw(NARROW)), caption)


@dataclass(frozen=True)
class Page:
    """Everything on the page.

    Args:
        title: Of what it speaks.
        eyebrow: What kind of page it is.
        sentences: The verdict, in words.
        content: Tables and charts, in their order.
        works: To cite.
        notes: What was done to the input.
        method: How it was found, a paragraph each.
    """

    title: str
    eyebrow: str
    sentences: Sequence[str]
    content: Sequence[Table | Figure]
    works: Sequence[Work] = ()
    notes: Sequence[str] = ()
    method: Sequence[str] = ()

    @property
    def sections(self) -> list[tuple[bool, list[Table | Figure]]]:
        """Neighbours of one kind together: whether they are tables, and which."""
        return [
            (tables, list(group)) for tables, group in groupby(self.content, lambda one: isinstance(one, Table))
        ]


def write_page(page: Page, path: Path) -> None:
    """Write the page, replacing one that is there."""
    templates = environment()
    style = Markup(source(templates, "style.css"))
    template = templates.get_template("plain.html.j2")
    text = template.render(page=page, style=style, policy=_POLICY, version=__version__)
    with atomic_write(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
