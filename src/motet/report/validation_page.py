"""The page of a validation: the model in its map, and what there is to look at."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from .. import __version__
from ..density import DensityMap
from ..density.quality import MapQuality
from ..ensemble.run_record import RunRecord
from ..io import atomic_write
from ..validation import RAMACHANDRAN, Summary, Validation
from ..validation.exports import write_clashes, write_residues
from .charts.chart import Chart
from .charts.q_chart import q_chart, shells_chart
from .charts.ramachandran import TITLES, ramachandran_charts
from .density_view import ShownMap, shown_map
from .embedding import packed, script_hash, security_policy, viewer
from .literature import cited
from .models import as_model
from .numbers import fixed
from .outliers import MOST, colours, outlier_rows, residue_words
from .page import FILE_NAME, NARROW, WIDE, environment, source
from .written import written

STEREOCHEMISTRY = ("williams2018", "hintze2016", "word1999", "enghhuber2006", "lovell2003", "chen2010")
OF_MAPS = ("pintilie2020", "jiang1994", "afonine2018")


def behind_validation(with_map: bool) -> tuple[str, ...]:
    """Keys of the works behind a validation."""
    return (*STEREOCHEMISTRY, *(OF_MAPS if with_map else ()), "molstar2021")


def write_validation(
    found: Validation, quality: MapQuality | None, density: DensityMap | None, record: RunRecord, directory: Path
) -> Path:
    """Write `report.html` into a directory, replacing one that is there; it appears whole or not at all."""
    path = directory / FILE_NAME
    with atomic_write(path, overwrite=True) as temporary:
        temporary.write_text(render_validation(found, quality, density, record), encoding="utf-8")
    return path


def render_validation(
    found: Validation, quality: MapQuality | None, density: DensityMap | None, record: RunRecord
) -> str:
    """The page as text; it needs nothing beside it and asks the network for nothing."""
    templates = environment()
    charts = _charts(found, quality)
    ramps = colours(found, quality)
    drawn_map = shown_map(density, found.structure) if density is not None else None
    script = "".join(source(templates, name) for name in ("page.js", "stage.js", "validation.js"))
    outliers = outlier_rows(found, quality)
    tables = _tables(found)
    return templates.get_template("validation.html.j2").render(
        name=found.structure.name,
        record=record,
        version=__version__,
        quality=quality,
        models=len(found.summaries),
        sentences=sentences(found, quality),
        tiles=tiles(found.summaries[0], quality),
        charts=charts,
        titles={f"rama-{name.replace('_', '-')}": TITLES[name] for name in RAMACHANDRAN},
        colours=ramps,
        shown_map=drawn_map,
        outliers=outliers[:MOST],
        outliers_left=max(len(outliers) - MOST, 0),
        files=list(tables),
        citations=cited(behind_validation(quality is not None)),
        viewer=viewer(),
        policy=security_policy([viewer().hash, script_hash(script)]),
        style=Markup(source(templates, "style.css")),
        script=Markup(script),
        payload=packed(_payload(found, quality, charts, ramps, drawn_map, tables)),
    )


def sentences(found: Validation, quality: MapQuality | None) -> list[str]:
    """What the page says first; the verdict comes last."""
    one = found.summaries[0]
    said = [
        f"{fixed(one.ramachandran_favoured, 1)} % of the residues are Ramachandran favoured and "
        f"{fixed(one.ramachandran_outliers, 1)} % outliers; "
        f"{fixed(one.rotamer_outliers, 1)} % of the side chains are rotamer outliers.",
    ]
    if quality:
        scored, atoms = int(quality.q.exists.sum()), int((~found.structure.topology.is_hydrogen).sum())
        share = "" if scored == atoms else f" over the {scored} of {atoms} atoms that lie in density"
        said.append(f"The mean Q is {fixed(float(quality.q.mean), 2)}{share}.")
        if quality.overall_b is not None:
            said.append(f"The file's B factors say nothing; one of {quality.overall_b:.0f} Å² stood in for them.")
    said.append(
        f"All in all, such stereochemistry is usual at {fixed(one.molprobity_score, 1)} Å (MolProbity score)."
    )
    return said


def tiles(one: Summary, quality: MapQuality | None) -> list[tuple[str, str, str]]:
    """The four numbers at the top."""
    sound = [
        ("MolProbity score", fixed(one.molprobity_score, 2), "lower is better; 0.5 is the best there is"),
        ("Clashscore", fixed(one.clashscore, 1), "overlaps in 1,000 atoms"),
    ]
    if quality is None:
        return [
            *sound,
            ("Ramachandran outliers", f"{fixed(one.ramachandran_outliers, 1)} %", "below 0.2 % is usual"),
            ("Rotamer outliers", f"{fixed(one.rotamer_outliers, 1)} %", "below 1 % is usual"),
        ]
    half = fixed(quality.resolution, 2) + " Å" if quality.resolution < 100 else "nowhere"
    return [
        *sound,
        ("Q", fixed(float(quality.q.mean), 3), f"CC in the mask {fixed(quality.cc_mask, 3)}"),
        ("FSC above 0.5 to", half, f"CC in the box {fixed(quality.cc_box, 3)}"),
    ]


def _charts(found: Validation, quality: MapQuality | None) -> dict[str, list[Chart]]:
    charts = {"ramachandran": ramachandran_charts(found)}
    if quality:
        charts["q"] = [q_chart(found.structure, quality, width) for width in (WIDE, NARROW)]
        charts["shells"] = [shells_chart(quality, width) for width in (WIDE, NARROW)]
    return charts


def _tables(found: Validation) -> dict[str, str]:
    """The CSV files as text."""
    writers = {"residues.csv": write_residues, "clashes.csv": write_clashes}
    return {name: written(name, partial(write, found)).decode() for name, write in writers.items()}


def _payload(
    found: Validation,
    quality: MapQuality | None,
    charts: dict[str, list[Chart]],
    ramps: list[dict[str, Any]],
    drawn_map: ShownMap | None,
    tables: dict[str, str],
) -> dict[str, Any]:
    """What the page's script needs."""
    topology = found.structure.topology
    model = as_model("model", replace(found.structure.model(0), notes=()))
    return {
        "model": {"name": model.name, "format": model.format, "text": model.text},
        "map": drawn_map and {"file": drawn_map.file, "level": drawn_map.level},
        "residues": [
            [
                str(topology.chain_ids[topology.chain_of_residue[row]]),
                int(topology.residue_numbers[row]),
                str(topology.insertion_codes[row]),
            ]
            for row in range(topology.n_residues)
        ],
        "words": residue_words(found, quality),
        "colours": ramps,
        "files": {name: {"type": "text/csv", "text": text} for name, text in tables.items()},
        "hover": {chart.name: chart.hover.as_json() for group in charts.values() for chart in group},
    }
