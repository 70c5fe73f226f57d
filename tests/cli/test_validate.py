"""`motet validate`: what it prints, writes and refuses."""

import csv
import json
import subprocess
import sys

import pytest
import torch

from motet.density import DensityMap, Grid
from motet.io import read

pytestmark = pytest.mark.slow


def run(*arguments):
    """The command line as a process of its own."""
    words = [sys.executable, "-m", "motet", "validate", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def density(examples, tmp_path_factory):
    """A map of Trp-cage itself."""
    model = read(examples / "1l2y.pdb").model(0)
    grid = Grid((36, 36, 36), torch.eye(3), model.coords.amin(0) - 5)
    away = torch.cdist(grid.centres().float().reshape(-1, 3), model.coords).square()
    path = tmp_path_factory.mktemp("map") / "1l2y.mrc"
    DensityMap(torch.exp(-away / 1.5).sum(-1).reshape(grid.shape), grid).write(path)
    return path


def test_a_model_alone(examples, tmp_path):
    out = tmp_path / "out"
    done = run(examples / "1l2y.pdb", "-o", out, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["models"][0]["ramachandran_favoured"] == pytest.approx(94.44, abs=0.01)
    assert {one.name for one in out.iterdir()} == {
        "residues.csv",
        "clashes.csv",
        "report.html",
        "summary.json",
        "run.json",
        "cite.bib",
    }
    with (out / "residues.csv").open() as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 20
    assert rows[0]["ramachandran"] == ""
    assert rows[5]["residue"] == "TRP"
    assert rows[5]["rotamer"] in ("favoured", "allowed", "outlier")


def test_a_model_in_its_map(examples, density, tmp_path):
    out = tmp_path / "out"
    done = run(examples / "1l2y.pdb", density, "--resolution", 3, "-o", out, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["map"]
    assert figures["q"] > 0.6
    assert figures["cc_mask"] > 0.8
    scored = read(out / "q.pdb")
    with (out / "residues.csv").open() as source:
        means = [float(row["q"]) for row in csv.DictReader(source)]
    first = scored.b_factors[torch.from_numpy(scored.topology.residue_of_atom == 0)]
    assert float(first.mean()) == pytest.approx(means[0], abs=0.01)


def test_the_same_request_again_finds_its_answer(examples, tmp_path):
    out = tmp_path / "out"
    first = run(examples / "1l2y.pdb", "-o", out, "--json")
    written = (out / "report.html").stat().st_mtime_ns
    again = run(examples / "1l2y.pdb", "-o", out, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert (out / "report.html").stat().st_mtime_ns == written


def test_a_map_without_a_resolution_is_refused(examples, density, tmp_path):
    done = run(examples / "1l2y.pdb", density, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "--resolution" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_resolution_without_a_map_is_refused(examples, tmp_path):
    done = run(examples / "1l2y.pdb", "--resolution", 3, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "name the map" in done.stderr


def test_a_file_without_protein_leaves_nothing_behind(tmp_path):
    water = "HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00 10.00           O\nEND\n"
    (tmp_path / "water.pdb").write_text(water)
    done = run(tmp_path / "water.pdb", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "give a protein" in done.stderr
    assert not (tmp_path / "out").exists()
