"""The page of a validation: what it says is what was found, with a map and without."""

import base64

import numpy as np
import pytest
import torch

from motet import io
from motet.density import DensityMap, Grid
from motet.density.quality import map_quality
from motet.ensemble.run_record import RunRecord
from motet.report.density_view import MOST_VOXELS, shown_map
from motet.report.literature import cited
from motet.report.outliers import colours, outlier_rows, troubles_of
from motet.report.validation_page import behind_validation, render_validation, tiles
from motet.validation import validated

from .browser import Browser, executable
from .pages import Page, payload, visible_text

RECORD = RunRecord("validate", {"map": None}, 0, "cpu", {"1l2y.pdb": "b3f5" * 16})


@pytest.fixture(scope="module")
def model(examples):
    return io.read(examples / "1l2y.pdb").model(0)


@pytest.fixture(scope="module")
def broken(model):
    """A leucine pulled out of shape."""
    coords = model.coords.clone()
    side = (model.topology.residue_of_atom == 6) & np.isin(model.topology.atom_names, ("CG", "CD1", "CD2"))
    coords[torch.from_numpy(side)] += torch.tensor([1.5, 0.0, 0.0])
    return validated(model.with_coords(coords))


@pytest.fixture(scope="module")
def density(model):
    """A map of the model itself, of Gaussians."""
    low = model.coords.amin(0) - 5
    grid = Grid((36, 36, 36), torch.eye(3) * 1.0, low)
    away = torch.cdist(grid.centres().float().reshape(-1, 3), model.coords).square()
    return DensityMap(torch.exp(-away / 1.5).sum(-1).reshape(grid.shape), grid)


@pytest.fixture(scope="module")
def quality(model, density):
    return map_quality(model, density, 3.0)


def test_without_a_map_there_is_no_word_of_one(model):
    html = render_validation(validated(model), None, None, RECORD)
    text = visible_text(html)
    assert "1l2y" in text
    assert "Fit to the map" not in text
    assert payload(html)["map"] is None
    assert [one["name"] for one in payload(html)["colours"]] == ["troubles"]


def test_the_page_s_table_names_what_is_wrong(broken):
    html = render_validation(broken, None, None, RECORD)
    label = broken.structure.topology.residue_label(6)
    rows = outlier_rows(broken, None)
    assert rows[0]["label"] == label
    assert "bond" in rows[0]["what"]
    assert "standard deviations off" in visible_text(html)
    assert payload(html)["words"][6].startswith(label)


def test_colours_count_troubles_and_have_q_where_there_is_a_map(broken, quality):
    (ramp,) = colours(broken, None)
    assert ramp["values"] == [min(len(troubles_of(broken, row)), 3) for row in range(broken.structure.n_residues)]
    with_map = colours(broken, quality)
    assert [one["name"] for one in with_map] == ["q", "troubles"]
    assert all(-1 <= value <= 1 for value in with_map[0]["values"])


def test_with_a_map_the_page_holds_it_and_the_figures(model, density, quality):
    found = validated(model)
    html = render_validation(found, quality, density, RECORD)
    data = payload(html)
    header = base64.b64decode(data["map"]["file"])[:1024]
    assert header[208:212] == b"MAP "
    assert data["map"]["level"] > 0
    text = visible_text(html)
    assert "Fit to the map" in text
    assert f"{float(quality.q.mean):.3f}" in text
    assert len(html) < 15e6
    names = {one["attributes"]["data-chart"] for one in Page(html).elements if "data-chart" in one["attributes"]}
    assert names == set(data["hover"])


def test_the_map_of_the_page_reads_back_within_a_step(model, density, tmp_path):
    shown = shown_map(density, model)
    path = tmp_path / "shown.mrc"
    path.write_bytes(base64.b64decode(shown.file))
    again = DensityMap.read(path)
    difference = (again.at(model.coords) - density.at(model.coords)).abs().max()
    assert difference <= density.density.max() / 127
    assert not shown.thinned


def test_a_large_map_is_thinned(model):
    grid = Grid((160, 160, 160), torch.eye(3) * 0.25, model.coords.mean(0) - 20)
    smooth = (grid.centres().float() - model.coords.mean(0)).square().sum(-1).div(-200).exp()
    shown = shown_map(DensityMap(smooth, grid), model.with_coords(model.coords * 3))
    assert shown.thinned
    assert len(shown.file) * 0.75 < 4.5 * MOST_VOXELS


def test_every_work_it_cites_is_known():
    for with_map in (False, True):
        keys = behind_validation(with_map)
        assert [work.key for work in cited(keys)] == list(keys)


def test_tiles_say_the_summary(model):
    summary = validated(model).summaries[0]
    shown = {title: value for title, value, _ in tiles(summary, None)}
    assert shown["MolProbity score"] == f"{summary.molprobity_score:.2f}"
    assert shown["Clashscore"] == f"{summary.clashscore:.1f}"


@pytest.mark.browser
@pytest.mark.skipif(executable() is None, reason="needs a Chromium: apt-get install chromium")
def test_the_page_draws_model_and_map_in_silence(model, density, quality, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(render_validation(validated(model), quality, density, RECORD), encoding="utf-8")
    program = executable()
    assert program is not None
    with Browser(program, tmp_path / "profile") as browser:
        browser.size(1280, 900)
        browser.open(page)
        assert browser.value("document.documentElement.dataset.viewer") == "ready"
        with_map = browser.picture(tmp_path / "with.png", of="#viewer canvas").read_bytes()
        browser.value("document.getElementById('map-seen').click()")
        browser.value(
            "new Promise(done => { let n = 8;"
            " const next = () => n-- ? requestAnimationFrame(next) : done(1); next(); })"
        )
        assert browser.picture(tmp_path / "without.png", of="#viewer canvas").read_bytes() != with_map
        browser.value("document.querySelector('input[name=colour][value=troubles]').click()")
        browser.wait("document.documentElement.dataset.colour === 'troubles'")
        assert browser.complaints() == []
        away = [url for url in browser.requests() if not url.startswith(("data:", "blob:", "file:"))]
        assert away == []
