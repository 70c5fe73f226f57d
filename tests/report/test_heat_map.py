"""The heat map of a scan: a picture, and the same numbers in words."""

from motet.ensemble.ddg import StabilityChange
from motet.report.heat_map import write_heat_map


def test_every_number_stands_on_the_page(tmp_path):
    changes = [StabilityChange((f"A:L{place}{new}",), place / 10, {}) for place in (7, 21) for new in "AVW"]
    write_heat_map(changes, "<name>", tmp_path)
    page = (tmp_path / "heatmap.html").read_text()
    assert page.count("+0.7</td>") == page.count("+2.1</td>") == 3
    assert page.count("A:L7</th>") == 1
    assert "&lt;name&gt;" in page
    assert "<name>" not in page
    assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")


def test_a_mutant_of_several_places_has_no_place_in_it(tmp_path):
    write_heat_map([StabilityChange(("A:L7A", "A:W6F"), 1.0, {})], "1l2y", tmp_path)
    assert not list(tmp_path.iterdir())
