"""The page: the analysis, laid out by `templates/report.html.j2`."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__
from ..ensemble import Analysis
from ..ensemble.run_record import RunRecord
from ..io import atomic_write
from . import moving, names, numbers, wording
from .charts import (
    Chart,
    contact_chart,
    energy_distribution_chart,
    energy_terms_chart,
    free_energy_chart,
    rmsf_chart,
    traces_chart,
)
from .downloads import Download, tables
from .embedding import packed, script_hash, security_policy, viewer
from .literature import behind, cited
from .models import Models, models
from .palette import FLEXIBILITY_RAMP, STATE_COLOURS, ink_on, shade, state_colour

FILE_NAME = "report.html"
WIDE, NARROW = 1040, 400  # what a chart across the page is drawn for: a screen, a phone
NOTE_KINDS = {
    "repaired": "Repaired",
    "warning": "To look at",
    "ignored": "Left out",
    "kept": "Kept, but not seen by the physics",
}


def write(analysis: Analysis, record: RunRecord, directory: Path) -> Path:
    """Write `report.html` into a directory, replacing one that is there; it appears whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE_NAME
    with atomic_write(path, overwrite=True) as temporary:
        temporary.write_text(render(analysis, record), encoding="utf-8")
    return path


def render(analysis: Analysis, record: RunRecord) -> str:
    """The report of an analysis as one HTML page that needs nothing beside it and asks the network for nothing."""
    templates = environment()
    charts = _charts(analysis)
    shown = models(analysis)
    script = "".join(source(templates, name) for name in ("page.js", "stage.js", "viewer.js"))
    return templates.get_template("report.html.j2").render(
        analysis=analysis,
        ensemble=analysis.ensemble,
        topology=analysis.ensemble.structure.topology,
        record=record,
        version=__version__,
        charts=charts,
        shown=shown,
        tables=tables(analysis),
        notes=_notes(analysis, record),
        citations=cited(behind(analysis.ensemble)),
        viewer=viewer(),
        policy=security_policy([viewer().hash, script_hash(script)]),
        style=Markup(source(templates, "style.css")),
        script=Markup(script),
        payload=packed(_payload(analysis, charts, shown, tables(analysis))),
    )


def environment() -> Environment:
    """Where the templates are."""
    environment = Environment(
        loader=PackageLoader("motet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        wording=wording,
        moving=moving,
        names=names,
        numbers=numbers,
        state_colour=state_colour,
        ink_on=ink_on,
        shade=shade,
        ramp=FLEXIBILITY_RAMP,
    )
    return environment


def source(environment: Environment, name: str) -> str:
    """A style sheet or script as it stands, never a template."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _charts(analysis: Analysis) -> dict[str, list[Chart]]:
    """Every chart by its place in the page; two where one drawing does not serve both screen and phone."""
    charts = {
        "rmsf": [rmsf_chart(analysis, WIDE), rmsf_chart(analysis, NARROW)],
        "free_energy": [free_energy_chart(analysis)],
        "contacts": [contact_chart(analysis)],
        "traces": [traces_chart(analysis, WIDE), traces_chart(analysis, NARROW)],
    }
    if analysis.ensemble.energy_terms:
        charts["energy_terms"] = [energy_terms_chart(analysis)]
        charts["energy_distribution"] = [energy_distribution_chart(analysis)]
    return charts


def _notes(analysis: Analysis, record: RunRecord) -> list[tuple[str, list[str]]]:
    """What was done to the input, by kind, each sentence once."""
    said = [*record.notes, *((note.kind, note.text) for note in analysis.ensemble.structure.notes)]
    once = list(dict.fromkeys(said))
    grouped = ((title, [text for kind, text in once if kind == key]) for key, title in NOTE_KINDS.items())
    return [(title, texts) for title, texts in grouped if texts]


def _payload(
    analysis: Analysis, charts: dict[str, list[Chart]], shown: Models, files: list[Download]
) -> dict[str, Any]:
    """What the page's script needs: models, files, and what to say under the pointer."""
    topology, observables = analysis.ensemble.structure.topology, analysis.observables
    residues = observables.residue_index.tolist()
    rmsf = [round(value, 3) for value in observables.rmsf.tolist()]
    return {
        "medoids": [
            {"name": one.name, "format": one.format, "text": one.text, "state": state.label}
            for one, state in zip(shown.medoids, analysis.states.states, strict=True)
        ],
        "members": {
            "format": shown.members.model.format,
            "text": shown.members.model.text,
            "moves": shown.members.moves,
            "states": shown.members.states,
            "names": [names.conformation_name(index) for index in shown.members.conformations],
        },
        "states": [names.state_name(state.label) for state in analysis.states.states],
        "files": {file.name: {"type": file.media_type, "text": file.text} for file in files},
        "colours": STATE_COLOURS,
        "ramp": FLEXIBILITY_RAMP,
        "residues": [
            [str(topology.chain_ids[topology.chain_of_residue[r]]), int(topology.residue_numbers[r]), label, value]
            for r, label, value in zip(residues, observables.residue_labels, rmsf, strict=True)
        ],
        "hover": {chart.name: chart.hover.as_json() for group in charts.values() for chart in group},
    }
