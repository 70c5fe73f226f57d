import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from motet.report.charts import (
    contact_chart,
    energy_distribution_chart,
    energy_terms_chart,
    free_energy_chart,
    rmsf_chart,
    traces_chart,
)
from motet.report.charts.axes import Scale, tick_labels
from motet.report.charts.ramp import level
from motet.report.charts.svg import element

CHARTS = {
    "rmsf": lambda analysis: rmsf_chart(analysis, 1040),
    "free energy": free_energy_chart,
    "contacts": contact_chart,
    "traces": lambda analysis: traces_chart(analysis, 400),
    "energy terms": energy_terms_chart,
    "energy distribution": energy_distribution_chart,
}


@pytest.fixture(params=CHARTS.values(), ids=CHARTS.keys())
def chart(request, analysis):
    return request.param(analysis)


def test_a_chart_is_well_formed_and_says_what_it_is(chart):
    drawing = ElementTree.fromstring(str(chart.svg))
    assert drawing.get("role") == "img"
    assert drawing.findtext("title")
    assert drawing.findtext("desc")
    assert not re.search(r"\bnan\b", str(chart.svg).lower())


def test_hover_points_lie_on_the_paper(chart):
    width, height = (float(word) for word in ElementTree.fromstring(str(chart.svg)).get("viewBox").split()[2:])
    assert len(chart.hover.x) == len(chart.hover.y) == len(chart.hover.text) > 0
    assert all(0 <= x <= width for x in chart.hover.x)
    assert all(0 <= y <= height for y in chart.hover.y)


def test_rmsf_hover_tells_each_residue_its_own_value(analysis):
    hover = rmsf_chart(analysis, 1040).hover
    observables = analysis.observables
    assert hover.text[6].startswith(observables.residue_labels[6])
    assert f"{float(observables.rmsf[6]):.2f}" in hover.text[6]
    highest = min(range(len(hover.y)), key=hover.y.__getitem__)
    assert highest == int(observables.rmsf.argmax())


def test_the_contact_map_repeats_below_only_what_comes_and_goes(analysis):
    occupancy = analysis.observables.contacts.occupancy
    passing = int(((occupancy >= 0.1) & (occupancy <= 0.9)).sum())
    assert 0 < passing < len(occupancy)
    assert len(contact_chart(analysis).hover.x) == len(occupancy) + passing


def test_bars_of_the_energy_distribution_hold_the_whole_ensemble(analysis):
    shares = [float(text.split("\n")[1].split()[0]) for text in energy_distribution_chart(analysis).hover.text]
    assert sum(shares) == pytest.approx(100, abs=len(shares) * 0.5)


def test_time_is_told_where_the_time_step_is_known(analysis):
    assert "time (ps)" in str(traces_chart(analysis, 400).svg)
    provenance = replace(analysis.ensemble.provenance, settings={})
    plain = replace(analysis, ensemble=replace(analysis.ensemble, provenance=provenance))
    assert "time (ps)" not in str(traces_chart(plain, 400).svg)


def test_constant_energies_are_drawn(analysis):
    ensemble = replace(analysis.ensemble, energies=torch.zeros_like(analysis.ensemble.energies))
    still = replace(analysis, ensemble=ensemble)
    for draw in (energy_terms_chart, energy_distribution_chart):
        assert not re.search(r"\bnan\b", str(draw(still).svg).lower())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.booleans(), st.integers(2, 8))
def test_a_scale_holds_its_values_and_its_ticks(values, zero, about):
    scale = Scale.over(values, 10.0, 110.0, zero=zero)
    assert all(10 - 1e-6 <= scale(value) <= 110 + 1e-6 for value in values)
    assert all(10 - 1e-3 <= scale(tick) <= 110 + 1e-3 for tick in scale.ticks(about))
    assert len(scale.ticks(about)) <= 3 * about


@pytest.mark.parametrize(
    ("ticks", "words"), [([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]), ([-20.0, 0.0, 20.0], ["−20", "0", "20"])]
)
def test_ticks_have_the_decimals_that_tell_them_apart(ticks, words):
    assert tick_labels(ticks) == words


def test_the_ramp_ends_at_its_ends():
    assert level(0.0, 0.0, 1.0) == 0
    assert level(1.0, 0.0, 1.0) == 7
    assert level(5.0, 5.0, 5.0) == 0


def test_words_and_attributes_are_escaped():
    hostile = '"><script>alert(1)</script>'
    drawn = element("text", hostile, data_name=hostile)
    assert "<script" not in drawn
    assert ElementTree.fromstring(str(drawn)).text == hostile
    assert isinstance(drawn, Markup)


def test_numbers_are_short():
    assert element("path", x=1.0, y=-0.001, width=math.pi) == '<path x="1" y="0" width="3.14"></path>'
