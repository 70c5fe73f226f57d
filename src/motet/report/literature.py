"""The works that motet leans on: one BibTeX file, from which `cite.bib` and the page's list are both drawn."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from ..ensemble import Ensemble
from ..io import atomic_write

ITSELF = "motet"
FLOW = ("jumper2021", "lipman2023", "yim2023")
MONTE_CARLO = ("duane1987", "mendez2010", "coutsias2004", "dodd1993", "swendsen1986")
GENERATORS = {
    "alphafold2": ("jumper2021", "delalamo2022", "waymentsteele2024", "geshkovski2025", "vehtari2024"),
    "langevin": ("leimkuhler2013",),
    "montecarlo": MONTE_CARLO,
    "modes": ("mendez2010",),
    "flow": FLOW,
    "both": (*FLOW, *MONTE_CARLO),
    "predictions": ("campello2013",),
    "loop": ("coutsias2004", "xiang2002"),
}
FORCE_FIELD = ("lazaridis1999", "enghhuber2006")
ANALYSIS = (
    "kabsch1976",
    "amadei1993",
    "lloyd1982",
    "rousseeuw1987",
    "kuensch1989",
    "hayward1998",
    "kabschsander1983",
    "gelman1992",
    "geyer1992",
)
VIEWER = ("molstar2021",)
STABILITY = (*FORCE_FIELD, "hintze2016", "dehouck2009", "studer2021")


@dataclass(frozen=True)
class Work:
    """A published work.

    Args:
        key: Its BibTeX key.
        entry: Its BibTeX entry.
        authors: Family names and year, as a text cites them.
        where: Journal or book, volume and first page.
        doi: DOI; empty when it has none.
    """

    key: str
    entry: str
    authors: str
    where: str
    doi: str


def behind(ensemble: Ensemble) -> tuple[str, ...]:
    """Keys of the works behind an analysed ensemble, in the order in which the page names them."""
    generator = GENERATORS.get(ensemble.provenance.generator, ())
    energy = FORCE_FIELD if ensemble.energy_terms else ()
    return (*generator, *energy, *ANALYSIS, *VIEWER)


def cited(keys: Sequence[str]) -> list[Work]:
    """The works of these keys, each once."""
    known = works()
    return [known[key] for key in dict.fromkeys(keys)]


def write_citations(directory: Path, keys: Sequence[str]) -> None:
    """Write `cite.bib`: motet itself, and the works of these keys."""
    entries = [work.entry for work in cited((ITSELF, *keys))]
    with atomic_write(directory / "cite.bib", overwrite=True) as temporary:
        temporary.write_text("\n\n".join(entries) + "\n", encoding="utf-8")


@cache
def works() -> dict[str, Work]:
    """All works of `works.bib`, by key."""
    text = files("motet.report").joinpath("works.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{.*?^\}$", text, flags=re.MULTILINE | re.DOTALL)
    found = [_work(entry) for entry in entries]
    return {work.key: work for work in found}


def _work(entry: str) -> Work:
    key = entry[entry.index("{") + 1 : entry.index(",")]
    pairs = re.findall(r"^  (\w+) = \{(.*?)\},?$", entry, flags=re.MULTILINE | re.DOTALL)
    fields = {name: re.sub(r"[{}]", "", " ".join(value.split())) for name, value in pairs}
    names = [name.split(",")[0] for name in fields["author"].split(" and ")]
    authors = ", ".join(names) if len(names) <= 3 else f"{names[0]} et al."
    place = fields.get("journal") or fields.get("booktitle") or fields.get("howpublished", "")
    volume = f" {fields['volume']}" if "volume" in fields else ""
    page = f", {fields['pages'].split('--')[0]}" if "pages" in fields else ""
    return Work(key, entry, f"{authors} ({fields['year']})", f"{place}{volume}{page}", fields.get("doi", ""))
