"""A page of sentences, tables and charts, for results that are not an ensemble; no script, nothing is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from .. import __version__
from ..io import atomic_write
from .charts import Chart
from .literature import Work
from .page import environment, source

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Table:
    """A table: what it says, its columns and its rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Figure:
    """A chart with the sentence below it; two stand side by side, unless one is wide."""

    title: str
    chart: Chart
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Page:
    """Everything on the page.

    Args:
        title: Of what it speaks.
        eyebrow: What kind of page it is.
        sentences: The verdict, in words.
        tables: Tables.
        figures: Charts.
        works: To cite.
        notes: What was done to the input.
    """

    title: str
    eyebrow: str
    sentences: Sequence[str]
    tables: Sequence[Table]
    figures: Sequence[Figure]
    works: Sequence[Work]
    notes: Sequence[str] = ()


def write_page(page: Page, path: Path) -> None:
    """Write the page, replacing one that is there."""
    templates = environment()
    style = Markup(source(templates, "style.css"))
    template = templates.get_template("plain.html.j2")
    text = template.render(page=page, style=style, policy=_POLICY, version=__version__)
    with atomic_write(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
