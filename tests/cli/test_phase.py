"""`motet phase` as a user runs it: sequences, a structure, mutations, resumption, and what is refused."""

import csv
import json

import pytest
from typer.testing import CliRunner

from motet.cli import phase as command
from motet.cli.app import app
from motet.condensate import PhaseSeparation
from motet.errors import MotetError
from motet.forcefield import Conditions

FASTA = ">stickers\n" + "GYGSQGYSQ" * 8 + "\n>fold\n" + "MKVLAAGIVGLLLAQWERTYIPKDE" * 4 + "\n>short\nMKVLAAGIV\n"


@pytest.fixture(scope="module", autouse=True)
def one_network():
    """Pair tables take seconds: all tests of this file share the network, and with it the tables."""
    network = PhaseSeparation.pretrained()
    network.tables(Conditions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PhaseSeparation, "pretrained", lambda path=None: network)
        yield network


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "proteins.fasta"
    path.write_text(FASTA)
    return path


def rows(path):
    with path.open() as source:
        return list(csv.DictReader(source))


@pytest.mark.slow
def test_sequences_get_a_row_a_profile_and_a_page(fasta, tmp_path):
    found = run("phase", fasta, "-o", tmp_path / "out", "--explain")
    assert found.exit_code == 0, found.output
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"phase.csv", "profiles.csv", "report.html", "run.json", "cite.bib", "summary.json"}
    by_name = {row["name"]: row for row in rows(tmp_path / "out" / "phase.csv")}
    assert float(by_name["stickers"]["driver"]) > float(by_name["fold"]["driver"])
    assert float(by_name["stickers"]["csat_uM"]) < float(by_name["fold"]["csat_uM"])
    assert len(rows(tmp_path / "out" / "profiles.csv")) == 72 + 100 + 9
    assert "adds to the logit" in found.output


@pytest.mark.slow
def test_a_run_that_is_stopped_goes_on_and_ends_the_same(fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "PART", 1)
    whole = run("phase", fasta, "-o", tmp_path / "whole")
    assert whole.exit_code == 0, whole.output
    calls = []
    real = command.keep

    def stopping(path, what):
        real(path, what)
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "keep", stopping)
    assert run("phase", fasta, "-o", tmp_path / "parts").exit_code == 130
    assert run("phase", fasta, "-o", tmp_path / "parts").exit_code == 0
    assert len(calls) == 3
    for name in ("phase.csv", "profiles.csv"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "parts" / name).read_text()


@pytest.mark.slow
def test_a_structure_and_its_sequence_are_comparable(examples, tmp_path):
    structure = examples / "1l2y.pdb"
    found = run("phase", structure, "-o", tmp_path / "out", "--json")
    assert found.exit_code == 0, found.output
    (protein,) = json.loads(found.stdout)["proteins"]
    path = tmp_path / "cage.fasta"
    path.write_text(">cage\nNLYIQWLKDGGPSSGRPPPS\n")
    alone = run("phase", path, "-o", tmp_path / "alone", "--json")
    (sequence,) = json.loads(alone.stdout)["proteins"]
    assert abs(protein["driver"] - sequence["driver"]) < 0.5


@pytest.mark.slow
def test_mutations_and_a_scan_are_written(tmp_path):
    path = tmp_path / "one.fasta"
    path.write_text(">stickers\n" + "GYGSQGYSQ" * 8 + "\n")
    found = run("phase", path, "-o", tmp_path / "out", "-m", "Y2S;Y7S", "--scan", "2")
    assert found.exit_code == 0, found.output
    effects = {row["mutation"]: row for row in rows(tmp_path / "out" / "mutations.csv")}
    assert len(effects) == 20
    assert float(effects["Y2S;Y7S"]["strengthens"]) < float(effects["Y2F"]["strengthens"])
    assert float(effects["Y2S;Y7S"]["delta_ln_csat"]) > 0


@pytest.mark.slow  # for the tables of the network that they share
@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (">a\nMK\n", (), "residues"),
        (">a\nMKVLLKKK\n>b\nMKVLLKKK\n", ("-m", "M1A"), "one protein"),
        (">a\nMKVLLKKK\n", ("-m", "K1A"), "is M"),
        (">a\nMKVLLKKK\n", ("--scan", "x"), "--scan x"),
        (">a\nMKVLLKKK\n", ("--scan", "8-9"), "no residue 9"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, text, options, words):
    path = tmp_path / "bad.fasta"
    path.write_text(text)
    found = run("phase", path, "-o", tmp_path / "out", *options)
    assert isinstance(found.exception, MotetError)
    assert words in str(found.exception)
    assert "\n" not in str(found.exception)
    assert not (tmp_path / "out").exists()
