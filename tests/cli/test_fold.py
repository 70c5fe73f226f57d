"""`motet fold` with a shallow network of random parameters: what is written, resumed, refused; no prediction."""

import csv
import json
from dataclasses import replace

import pytest
import torch
import typer
from typer.testing import CliRunner

from motet.cli.fold import fold
from motet.errors import ConfigError, FormatError, MissingWeightsError
from motet.fold import AlphaFold, preset, store
from motet.io import read

ROWS = ("MKVLAAGICKWYRNDE", "MKVLSAGICKWYRNDE", "MRVLAAG-CKWYRNDE", "MKILAAGVCKWFRNDE", "MKVMAAGICRWYKNDE") * 3


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "toy.a3m"
    path.write_text("".join(f">row{i}\n{row}\n" for i, row in enumerate(ROWS)))
    return path


@pytest.fixture
def network(monkeypatch):
    """Random weights of one block: nothing that it says is a prediction."""
    loaded = []

    def load(model):
        config = preset(model)
        config = replace(
            config, evoformer=replace(config.evoformer, blocks=2), extra_msa=replace(config.extra_msa, blocks=1)
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            loaded.append(AlphaFold(config).eval())
        return loaded[-1]

    monkeypatch.setattr(store, "load", load)
    return loaded


def run(*arguments):
    app = typer.Typer()
    app.command()(fold)
    return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)


def test_without_weights_it_says_what_to_do(target, tmp_path, monkeypatch):
    monkeypatch.setenv("MOTET_HOME", str(tmp_path / "home"))
    with pytest.raises(MissingWeightsError, match="motet weights fetch alphafold2 --model model_3_ptm"):
        run(target, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_fold_is_written_and_found_again(target, tmp_path, network):
    out = tmp_path / "out"
    done = run(target, "-o", out, "--recycles", 1, "--max-msa", "8:16", "--json")
    summary = json.loads(done.stdout)
    assert summary["residues"] == 16
    assert summary["passes"] == 2
    model = read(out / "model.pdb")
    assert model.n_residues == 16
    rows = list(csv.DictReader((out / "residues.csv").read_text().splitlines()))
    assert "".join(row["residue"] for row in rows) == ROWS[0]
    carbon = torch.from_numpy(model.topology.atom_names == "CA")
    assert model.b_factors[carbon].tolist() == pytest.approx([float(r["plddt"]) for r in rows], abs=0.01)
    errors = json.loads((out / "pae.json").read_text())[0]
    assert len(errors["predicted_aligned_error"]) == len(errors["predicted_aligned_error"][0]) == 16
    assert errors["max_predicted_aligned_error"] == 31.75
    page = (out / "report.html").read_text()
    assert "pLDDT" in page
    assert "<script" not in page
    assert "jumper2021" in (out / "cite.bib").read_text()
    assert json.loads((out / "run.json").read_text())["arguments"]["recycles"] == 1
    again = run(target, "-o", out, "--recycles", 1, "--max-msa", "8:16", "--json")
    assert json.loads(again.stdout) == summary
    assert len(network) == 1  # it was not folded again


@pytest.mark.slow
def test_an_ensemble_reports_views_controls_and_states(target, tmp_path, network):
    out = tmp_path / "out"
    asked = (target, "-o", out, "--ensemble", "-n", 2, "--recycles", 0, "--max-msa", "8:16", "--relax", 5)
    asked = (*asked, "--perturb", "seeds,clusters,columns,leaders,temperature", "--nulls", 1, "--json")
    summary = json.loads(run(*asked).stdout)
    groups = {(one["perturbation"], one["control"]): one["members"] for one in summary["perturbations"]}
    assert groups["seeds", False] == 2
    assert groups["leaders", False] == groups["leaders", True] == 2
    rows = list(csv.DictReader((out / "members.csv").read_text().splitlines()))
    assert len(rows) == summary["members"] == sum(groups.values())
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(1, abs=1e-4)
    assert not summary["populations"]  # so few members of a random network cannot be weighed
    hypotheses = json.loads((out / "hypotheses.json").read_text())
    assert len(hypotheses["row_weights"]) == len(ROWS)
    page = (out / "folding.html").read_text()
    assert "random rows" in page
    assert "shuffled columns" in page
    for name in ("report.html", "samples.xtc", "topology.pdb", "states.csv", "run.json", "cite.bib"):
        assert (out / name).exists(), name
    assert not (out / ".motet-parts").exists()


@pytest.mark.slow
def test_an_ensemble_that_is_stopped_goes_on_with_the_same_bytes(target, tmp_path, network, monkeypatch):
    from motet.ensemble.folding import Folder

    asked = ("--ensemble", "-n", 2, "--recycles", 0, "--max-msa", "8:16")
    asked = (*asked, "--relax", 1, "--perturb", "seeds,dropout", "--nulls", 0)
    run(target, "-o", tmp_path / "whole", *asked)
    sampled, calls = Folder.sampled, []

    def stops(folder, member):
        calls.append(member)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return sampled(folder, member)

    monkeypatch.setattr(Folder, "sampled", stops)
    stopped = run(target, "-o", tmp_path / "parts", *asked)
    assert stopped.exit_code == 130
    calls.clear()
    monkeypatch.setattr(Folder, "sampled", lambda folder, member: calls.append(member) or sampled(folder, member))
    run(target, "-o", tmp_path / "parts", *asked)
    assert len(calls) == 2  # two of four were there
    for name in ("members.csv", "samples.xtc", "ensemble.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("text", "match"), [(">q\nMKX\n>r\nMK-\n", "places no atoms"), (">q\nMK-L\n>r\nMKAL\n", "has 1 gaps")]
)
def test_queries_that_cannot_be_folded_are_refused(tmp_path, network, text, match):
    (tmp_path / "q.a3m").write_text(text)
    with pytest.raises(ConfigError, match=match):
        run(tmp_path / "q.a3m", "-o", tmp_path / "out")


def test_a_structure_is_no_target(tmp_path, network):
    (tmp_path / "x.pdb").write_text("HEADER    X\nATOM      1  CA  ALA A   1       0.000   0.000   0.000\n")
    with pytest.raises(FormatError, match="neither alignment nor sequence"):
        run(tmp_path / "x.pdb")


def test_settings_that_make_no_sense_are_refused(target, tmp_path, network):
    with pytest.raises(ConfigError, match="512:1024 for example"):
        run(target, "-o", tmp_path / "out", "--max-msa", "many")
    with pytest.raises(ConfigError, match="reads no templates"):
        run(target, "-o", tmp_path / "out", "--templates", target)


@pytest.mark.slow
def test_a_sequence_alone_is_folded(tmp_path, network):
    (tmp_path / "q.fasta").write_text(f">q\n{ROWS[0]}\n")
    run(tmp_path / "q.fasta", "-o", tmp_path / "out", "--recycles", 0)
    assert read(tmp_path / "out" / "model.pdb").coords.isfinite().all()
