"""`motet ddg`: what it prints, writes and refuses, and how it goes on after it was stopped."""

import csv
import itertools
import json

import pytest
import typer

import motet.ensemble.ddg
from motet.cli.ddg import ddg
from motet.errors import MotetError


@pytest.fixture(scope="module")
def scanned(examples, tmp_path_factory):
    """A scan of one place that ran through."""
    out = tmp_path_factory.mktemp("scan") / "out"
    ddg(examples / "1l2y.pdb", scan=["A:7"], out=out)
    return out


def test_a_scan_writes_what_it_found(scanned):
    assert {one.name for one in scanned.iterdir()} == {
        "ddg.csv",
        "heatmap.html",
        "heatmap.png",
        "run.json",
        "cite.bib",
        "summary.json",
    }
    with (scanned / "ddg.csv").open() as lines:
        rows = {row["mutation"]: row for row in csv.DictReader(lines)}
    changes = json.loads((scanned / "summary.json").read_text())["changes"]
    assert len(rows) == len(changes) == 19
    for one in changes:
        assert one["ddg"] == pytest.approx(sum(one["parts"].values()))
        assert float(rows[one["mutation"]]["ddg_kcal_mol"]) == pytest.approx(one["ddg"], abs=1e-4)
    assert "dehouck2009" in (scanned / "cite.bib").read_text()


def test_a_scan_that_was_stopped_goes_on_and_ends_the_same(scanned, examples, tmp_path, monkeypatch, capsys):
    every = motet.ensemble.ddg.each_stability_change

    def stopped(*arguments):
        yield from itertools.islice(every(*arguments), 11)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(motet.ensemble.ddg, "each_stability_change", stopped)
        with pytest.raises(typer.Exit) as ended:
            ddg(examples / "1l2y.pdb", scan=["A:7"], out=tmp_path / "out")
    assert ended.value.exit_code == 130
    assert "repeat the same command" in capsys.readouterr().err
    assert not (tmp_path / "out/ddg.csv").exists()
    ddg(examples / "1l2y.pdb", scan=["A:7"], out=tmp_path / "out")
    assert "going on after 8 of 19" in capsys.readouterr().err
    assert (tmp_path / "out/ddg.csv").read_bytes() == (scanned / "ddg.csv").read_bytes()


def test_mutations_come_from_a_table_and_may_be_made_at_once(examples, tmp_path, capsys):
    table = tmp_path / "mutants.csv"
    table.write_text("chain,mutation\nA,L7A\nA,W6F;Y3F\n")
    ddg(examples / "1l2y.pdb", mutations=table, out=tmp_path / "out", physics_only=True, as_json=True)
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert [one["mutation"] for one in changes] == ["A:L7A", "A:W6F,A:Y3F"]
    assert "site_model" not in changes[0]["parts"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "nothing to mutate"),
        ({"mutation": ["A:A7L"]}, "is not ALA"),
        ({"mutation": ["nonsense"]}, "write it as"),
        ({"scan": ["A:99"]}, "no residue"),
    ],
)
def test_a_wrong_request_is_refused(arguments, words, examples, tmp_path):
    with pytest.raises(MotetError, match=words):
        ddg(examples / "1l2y.pdb", **arguments, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_absent_is_refused(examples, tmp_path):
    with pytest.raises(MotetError, match=r"absent\.csv"):
        ddg(examples / "1l2y.pdb", mutations=tmp_path / "absent.csv", out=tmp_path / "out")
