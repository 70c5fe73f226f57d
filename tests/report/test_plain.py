"""Pages without a script: their parts stand in order, fit a phone, and lose nothing that matters."""

import re

from motet.report.charts import lines_chart, scan_chart
from motet.report.charts.lines import MOST_POINTS
from motet.report.plain import Figure, Page, Table, write_page

TABLE = Table("<what>", ("name", "value"), [("a", "1"), ("b", "2")], shades=[(0.5,), (-3.0,)])


def line(values, width=460):
    return lines_chart("line", "Line", {"one": values}, x_label="x", width=width)


def written(content, path):
    write_page(Page("Title", "eyebrow", ["A sentence."], content, method=["How it was done."]), path)
    return path.read_text()


def test_tables_and_figures_stand_as_they_are_given(tmp_path):
    figure = Figure("Half", [line([1.0, 2.0])], "caption")
    above, below = (written(content, tmp_path / "page.html") for content in ([TABLE, figure], [figure, TABLE]))
    assert above.index("<table") < above.index("<figure")
    assert below.index("<figure") < below.index("<table")
    assert "&lt;what&gt;" in above
    assert "<script" not in above


def test_a_wide_figure_is_drawn_for_a_screen_and_for_a_phone(tmp_path):
    page = written([Figure.wide("Wide", lambda width: line([1.0, 2.0], width), "caption")], tmp_path / "page.html")
    widths = [int(width) for width in re.findall(r'viewBox="0 0 (\d+) ', page)]
    assert len(widths) == 2
    assert widths[0] > 2 * widths[1]


def test_shades_end_where_words_can_still_be_read(tmp_path):
    page = written([TABLE], tmp_path / "page.html")
    assert re.findall(r"background: color-mix\(in srgb, var\((--\w+)\) (\d+)%", page) == [
        ("--bad", "25"),
        ("--accent", "50"),
    ]


def test_a_long_line_is_thinned_and_keeps_its_peaks_and_its_ends():
    values = [0.0] * 20_000
    values[0], values[7_777], values[13_333], values[-1] = 0.5, 3.0, -2.0, 0.25
    said = line(values).hover.text
    assert len(said) <= MOST_POINTS + 2
    for number in (0, 7_777, 13_333, 19_999):
        assert any(one.startswith(f"one, {number + 1}\n") for one in said)
    assert len(line(values[:MOST_POINTS]).hover.text) == MOST_POINTS


def test_every_value_of_a_scan_has_its_cell():
    values = {(place, kind): float(step) for place in ("A:G1", "A:L2") for step, kind in enumerate("AVW")}
    chart = scan_chart("scan", "Scan", ("A:G1", "A:L2"), "AVWY", values, key="key", largest=2.0, width=400)
    drawn = re.findall(r'<path d="([^"]*)" style="fill: color-mix\(in srgb, var\(--\w+\) (\d+)%', chart.svg)
    assert {int(strength): cells.count("z") for cells, strength in drawn} == {0: 2, 45: 2, 90: 2}
