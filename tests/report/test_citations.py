"""Citations: one file of works, from which the page and cite.bib are drawn."""

import re

import pytest

from motet.report import literature
from motet.report.literature import cited, works, write_citations


def test_every_entry_of_the_file_is_read_under_a_key_of_its_own():
    text = literature.files("motet.report").joinpath("works.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+{(\w+),$", text, flags=re.MULTILINE)
    assert keys == list(works())
    assert text.count("\n}\n") == len(keys)


def test_a_work_is_named_as_a_text_cites_it():
    assert works()["kabsch1976"].authors == "Kabsch (1976)"
    assert works()["kabsch1976"].where == "Acta Crystallographica Section A 32, 922"
    assert works()["molstar2021"].authors == "Sehnal et al. (2021)"
    assert works()["amadei1993"].doi == "10.1002/prot.340170408"


def test_every_work_but_motet_itself_has_a_doi_or_says_where_it_is():
    assert [work.key for work in works().values() if not work.doi and not work.where] == ["motet"]


@pytest.mark.parametrize(
    "keys", [literature.FORCE_FIELD, literature.ANALYSIS, literature.VIEWER, *literature.GENERATORS.values()]
)
def test_what_the_page_cites_is_in_the_file(keys: tuple[str, ...]):
    assert [work.key for work in cited(keys)] == list(keys)


def test_cite_bib_holds_motet_and_each_work_once(tmp_path):
    write_citations(tmp_path, ("kabsch1976", "geyer1992", "kabsch1976"))
    written = (tmp_path / "cite.bib").read_text(encoding="utf-8")
    assert re.findall(r"^@\w+{(\w+),$", written, flags=re.MULTILINE) == ["motet", "kabsch1976", "geyer1992"]
