import csv
import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from motet.ensemble import Ensemble, Provenance, analyse
from motet.report import render, write
from motet.report.embedding import script_hash, viewer
from motet.structure import Note

from .pages import Page, payload, visible_text

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"'&"


@pytest.fixture(scope="module")
def html(analysis, record):
    return render(analysis, record)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_nothing_is_fetched(html, page):
    for element in page.elements:
        attributes = element["attributes"]
        for name in ("src", "srcset", "poster", "data", "action", "xlink:href"):
            assert name not in attributes, element
        if "href" in attributes:
            allowed = ("#", "data:,") if element["tag"] != "a" else ("#", "https://doi.org/")
            assert attributes["href"].startswith(allowed)
    style = page.all("style")[0]["text"]
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_lets_in_the_scripts_of_the_page_and_no_other(page):
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["attributes"]["content"]
    assert policy.startswith("default-src 'none';")
    allowed = set(re.search(r"script-src ([^;]*);", policy).group(1).split())
    inline = {script_hash(one["text"]) for one in page.all("script") if "type" not in one["attributes"]}
    assert allowed == inline | {viewer().hash, "'unsafe-eval'"}
    assert not [one for one in page.elements if any(name.startswith("on") for name in one["attributes"])]


def test_the_table_of_states_says_what_the_analysis_says(analysis, page):
    table = page.all("table")[0]
    cells = [one["text"].replace("\u00a0", " ").strip() for one in page.all("td", **{"data-label": "Members"})]
    assert cells == [str(len(state.members)) for state in analysis.states.states]
    populations = [one["text"] for one in page.all("td", **{"data-label": "Population"})]
    for text, state in zip(populations, analysis.states.states, strict=True):
        value, error = re.search(r"([\d.]+)\u00a0±\u00a0([\d.]+)", text).groups()
        assert float(value) == pytest.approx(100 * state.population, abs=float(error))
        assert float(error) == pytest.approx(100 * state.population_error, rel=0.5)
    assert "kcal/mol" in table["text"]


def test_the_verdict_is_plain(analysis, html):
    words = visible_text(html)
    assert f"motet made {len(analysis.ensemble)} conformations of 1l2y" in words
    assert f"They fall into {len(analysis.states)} states" in words
    assert not analysis.quality.converged
    assert "The sampling is not converged" in words
    assert analysis.quality.sentence in words


@pytest.mark.parametrize(
    ("generator", "how"),
    [("flow", "by the learned flow."), ("modes", "along the soft modes of an elastic network.")],
)
def test_proposals_are_called_proposals(analysis, record, generator, how):
    proposed = replace(analysis.ensemble.provenance, generator=generator)
    page = render(replace(analysis, ensemble=replace(analysis.ensemble, provenance=proposed)), record)
    words = visible_text(page)
    assert how in words
    assert "shares are no populations" in words


def test_notes_and_run_record_are_told(html, record):
    words = visible_text(html)
    assert "3 missing side-chain atoms of A:LYS8 were built." in words
    assert "2 waters are carried along" in words
    assert record.inputs["1l2y.pdb"] in words
    assert "1 min 23 s" in words


def test_every_heading_table_and_drawing_is_named(page):
    assert len(page.all("h1")) == 1
    levels = [int(one["tag"][1]) for one in page.elements if re.fullmatch(r"h[1-6]", one["tag"])]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    for drawing in page.all("svg"):
        assert drawing["attributes"].get("role") == "img" or drawing["attributes"].get("aria-hidden") == "true"


def test_tables_in_the_page_are_whole(analysis, html):
    files = payload(html)["files"]
    rows = list(csv.DictReader(io.StringIO(files["conformations.csv"]["text"])))
    assert len(rows) == len(analysis.ensemble)
    assert [int(row["state"]) for row in rows] == analysis.states.labels.tolist()
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(1, abs=1e-4)
    for row, energies in zip(rows, analysis.ensemble.energies.tolist(), strict=True):
        assert [float(row[term]) for term in analysis.ensemble.energy_terms] == pytest.approx(energies, abs=1e-3)
    residues = list(csv.DictReader(io.StringIO(files["residues.csv"]["text"])))
    assert len(residues) == len(analysis.observables.residue_labels)


def test_the_page_is_small(html):
    assert len(html.encode()) < 2.5e6


def test_the_same_analysis_gives_the_same_bytes(analysis, record, html):
    assert render(analysis, record) == html


def test_hostile_names_stay_words(analysis, record):
    structure = replace(analysis.ensemble.structure, name=HOSTILE, notes=(Note("warning", HOSTILE),))
    topology = replace(structure.topology, chain_ids=np.array([HOSTILE]))
    ensemble = replace(
        analysis.ensemble,
        structure=replace(structure, topology=topology),
        energy_terms=(HOSTILE, *analysis.ensemble.energy_terms[1:]),
        provenance=replace(analysis.ensemble.provenance, generator=HOSTILE, settings={HOSTILE: HOSTILE}),
    )
    labels = tuple(HOSTILE + label for label in analysis.observables.residue_labels)
    hostile = replace(
        analysis, ensemble=ensemble, observables=replace(analysis.observables, residue_labels=labels)
    )
    named = replace(
        record,
        command=HOSTILE,
        inputs={HOSTILE: HOSTILE},
        arguments={HOSTILE: HOSTILE},
        notes=(("kept", HOSTILE),),
    )
    html = render(hostile, named)
    page = Page(html)
    assert len(page.all("script")) == 3
    assert not page.all("img")
    assert not [one for one in page.elements if "onerror" in one["attributes"]]
    assert HOSTILE in page.all("h1")[0]["text"]
    assert payload(html)["residues"][0][2] == labels[0]


def test_models_of_a_file_have_a_report_without_energies(analysis, record):
    html = render(analyse(Ensemble.of_models(analysis.ensemble.structure, 300.0)), record)
    words = visible_text(html)
    assert "were read from a file" in words
    assert "no claim is made that they follow Boltzmann's law" in words
    assert not Page(html).all("section", id="energy")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_conformations_has_a_report(analysis, record, count):
    whole = analysis.ensemble
    few = Ensemble(
        whole.structure.with_coords(whole.coords[:count]),
        torch.full((count,), 1 / count),
        whole.energy_terms,
        whole.energies[:count],
        torch.zeros(count, dtype=torch.long),
        torch.arange(count) * 500,
        Provenance("langevin", 300.0, 0, "sampled"),
    )
    html = render(analyse(few), record)
    assert "nan" not in visible_text(html).lower().split()
    assert "too few conformations to tell" in visible_text(html)
    assert payload(html)["members"]["states"] == analyse(few).states.labels.tolist()


def test_many_states_are_all_shown(analysis, record):
    """More states than colours: colours come again, numbers do not."""
    first = analysis.states.states[0]
    states = tuple(
        replace(first, label=i, population=0.1, members=torch.arange(12 * i, 12 * i + 12), medoid=12 * i)
        for i in range(10)
    )
    labels = torch.arange(120) // 12
    crowded = replace(analysis, states=replace(analysis.states, labels=labels, states=states))
    page = Page(render(crowded, record))
    assert len(page.all("td", **{"data-label": "Members"})) == 10


def test_write_replaces_the_report_and_leaves_nothing_else(analysis, record, tmp_path):
    path = write(analysis, record, tmp_path / "new")
    path.write_text("old")
    assert write(analysis, record, tmp_path / "new") == path
    assert path.read_text(encoding="utf-8") == render(analysis, record)
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]
