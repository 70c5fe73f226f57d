"""Citations: what the page cites, cite.bib holds."""

import re

from motet.report import literature
from motet.report.citations import bibliography


def test_every_work_the_page_cites_is_in_the_bibliography():
    cited = {work.doi for work in vars(literature).values() if isinstance(work, literature.Citation)}
    assert cited
    assert cited <= set(re.findall(r"doi = {(.+)}", bibliography()))


def test_every_entry_has_a_key_of_its_own_and_closes():
    text = bibliography()
    keys = re.findall(r"^@\w+{(\w+),$", text, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) == text.count("\n}\n")
