"""The commands as a person runs them: what they write, what they say, and how they end."""

import csv
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

QUICK = ["-n", "6", "--replicas", "2", "--interval", "0.01", "--burn-in", "0.01"]
RESULTS = {
    "topology.pdb",
    "samples.xtc",
    "ensemble.csv",
    "ensemble.json",
    "ensemble.pdb",
    "states.csv",
    "residues.csv",
    "contacts.csv",
    "rmsf.pdb",
    "state-0.pdb",
    "view.cxc",
    "view.pml",
    "cite.bib",
    "report.html",
    "run.json",
    "summary.json",
}


def motet(*arguments, cwd, check=True):
    """Run the command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "motet", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def finished(examples, tmp_path_factory):
    """One small finished run."""
    folder = tmp_path_factory.mktemp("run")
    done = motet("ensemble", examples / "1l2y.pdb", "-o", "out", *QUICK, "--json", cwd=folder)
    return folder / "out", json.loads(done.stdout)


def test_an_ensemble_writes_everything_a_person_needs(finished):
    directory, _ = finished
    assert {path.name for path in directory.iterdir()} >= RESULTS
    assert not list(directory.glob(".*"))


def test_the_summary_agrees_with_the_files(finished):
    directory, summary = finished
    with (directory / "states.csv").open() as source:
        states = list(csv.DictReader(source))
    assert len(states) == len(summary["states"])
    assert sum(float(state["population"]) for state in states) == pytest.approx(1, abs=1e-3)
    assert summary["conformations"] == 6
    assert summary["weighting"] == "sampled"


def test_every_conformation_is_sound(finished):
    _, summary = finished
    assert summary["soundness"]["worst_bond"] < 0.05
    assert summary["soundness"]["closest_pair"] > 2.0


def test_the_run_is_on_record(finished):
    directory, _ = finished
    record = json.loads((directory / "run.json").read_text())
    assert record["command"] == "ensemble"
    assert record["seed"] == 0
    assert record["arguments"]["count"] == 6
    assert len(record["inputs"]["1l2y.pdb"]) == 64
    assert record["timings"].keys() == {"sampling", "analysis"}


def test_the_same_seed_gives_the_same_bytes(finished, examples, tmp_path):
    directory, _ = finished
    motet("ensemble", examples / "1l2y.pdb", "-o", "again", *QUICK, cwd=tmp_path)
    for name in ("samples.xtc", "ensemble.csv", "topology.pdb", "states.csv", "residues.csv", "ensemble.pdb"):
        assert (tmp_path / "again" / name).read_bytes() == (directory / name).read_bytes(), name


def test_another_seed_gives_another_ensemble(finished, examples, tmp_path):
    directory, _ = finished
    motet("ensemble", examples / "1l2y.pdb", "-o", "other", *QUICK, "--seed", "10", cwd=tmp_path)
    assert (tmp_path / "other/samples.xtc").read_bytes() != (directory / "samples.xtc").read_bytes()


def test_a_run_that_is_interrupted_goes_on_and_ends_the_same(finished, examples, tmp_path):
    directory, _ = finished
    command = [sys.executable, "-m", "motet", "ensemble", str(examples / "1l2y.pdb"), "-o", "out", *QUICK]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "out/.motet-parts/000000.safetensors"
    for _ in range(2400):
        if first.exists() or running.poll() is not None:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, words = running.communicate(timeout=60)
    if running.returncode == 0:
        pytest.skip("the run ended before it could be interrupted")
    assert running.returncode == 130
    assert "repeat the same command" in words
    assert "Traceback" not in words
    assert not (tmp_path / "out/run.json").exists()
    done = motet("ensemble", examples / "1l2y.pdb", "-o", "out", *QUICK, cwd=tmp_path)
    assert "going on after" in done.stderr
    assert (tmp_path / "out/samples.xtc").read_bytes() == (directory / "samples.xtc").read_bytes()
    assert (tmp_path / "out/ensemble.csv").read_bytes() == (directory / "ensemble.csv").read_bytes()


def test_an_unfinished_run_with_other_settings_is_not_mixed_in(examples, tmp_path):
    parts = tmp_path / "out/.motet-parts"
    parts.mkdir(parents=True)
    (parts / "manifest.json").write_text('{"seed": 99}')
    done = motet("ensemble", examples / "1l2y.pdb", "-o", "out", *QUICK, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "unfinished run" in done.stderr


def test_results_are_not_replaced_unless_asked(finished, examples, tmp_path):
    shutil.copytree(finished[0], tmp_path / "out")
    before = (tmp_path / "out/run.json").read_bytes()
    other = ["ensemble", examples / "1l2y.pdb", "-o", "out", *QUICK, "--seed", "5"]
    refused = motet(*other, cwd=tmp_path, check=False)
    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr
    assert (tmp_path / "out/run.json").read_bytes() == before
    motet(*other, "--overwrite", cwd=tmp_path)
    assert json.loads((tmp_path / "out/run.json").read_text())["seed"] == 5


def test_the_same_request_again_finds_its_answer(finished, examples, tmp_path):
    directory, summary = finished
    shutil.copytree(directory, tmp_path / "out")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    again = motet("ensemble", examples / "1l2y.pdb", "-o", "out", *QUICK, "--json", cwd=tmp_path)
    assert json.loads(again.stdout) == summary
    assert "done already" in again.stderr
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


def test_a_report_is_made_anew_from_the_directory(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "out")
    (tmp_path / "out/report.html").unlink()
    motet("report", "out", cwd=tmp_path)
    assert (tmp_path / "out/report.html").stat().st_size > 100_000


def test_draws_along_modes_are_proposals_about_the_start(examples, tmp_path):
    motet("ensemble", examples / "1l2y.pdb", "-o", "out", "-n", "4", "--method", "modes", cwd=tmp_path)
    made = json.loads((tmp_path / "out" / "ensemble.json").read_text())["provenance"]
    assert (made["generator"], made["weighting"]) == ("modes", "given")
    assert "mendez2010" in (tmp_path / "out" / "cite.bib").read_text()


def test_energy_prints_terms_that_add_up(examples, tmp_path):
    found = json.loads(motet("energy", examples / "1l2y.pdb", "--json", cwd=tmp_path).stdout)
    (model,) = found["models"]
    assert model["total"] == pytest.approx(sum(value for key, value in model.items() if key != "total"))
    assert {"vdw", "clash", "hydrogen_bond", "electrostatics", "covalent", "entropy_backbone"} < model.keys()


def test_energy_by_residue_adds_up_to_the_same(examples, tmp_path):
    motet("energy", examples / "1l2y.pdb", "--per-residue", "r.csv", cwd=tmp_path)
    found = json.loads(motet("energy", examples / "1l2y.pdb", "--json", cwd=tmp_path).stdout)
    with (tmp_path / "r.csv").open() as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 20
    assert sum(float(row["total"]) for row in rows) == pytest.approx(found["models"][0]["total"], abs=0.05)


def test_minimise_lowers_the_energy_and_writes_the_structure(examples, tmp_path):
    done = motet("minimise", examples / "1l2y.pdb", "-o", "out", "--max-steps", "50", "--json", cwd=tmp_path)
    (model,) = json.loads(done.stdout)["models"]
    assert model["end"] < model["start"]
    from motet.io import read

    again = json.loads(motet("energy", "out/minimised.pdb", "--json", cwd=tmp_path).stdout)
    assert read(tmp_path / "out/minimised.pdb").n_atoms == 154
    assert again["models"][0]["total"] == pytest.approx(model["end"], abs=1.0)  # PDB keeps 0.001 Å


def test_minimise_with_springs_stays_nearer_to_the_start(examples, tmp_path):
    moved = {}
    for stiffness in ("0", "5000"):
        options = ("-o", f"out{stiffness}", "--max-steps", "20", "--restrain", stiffness, "--json")
        done = motet("minimise", examples / "1l2y.pdb", *options, cwd=tmp_path)
        moved[stiffness] = json.loads(done.stdout)["models"][0]["moved"]
    assert moved["5000"] < 0.6 * moved["0"]
    wrong = motet(
        "minimise", examples / "1l2y.pdb", "--restrain", "1", "--restrained", "name XX", cwd=tmp_path, check=False
    )
    assert wrong.returncode == 2
    assert "name XX" in wrong.stderr


def test_standard_input_is_a_file_too(examples, tmp_path):
    with (examples / "1l2y.pdb").open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-m", "motet", "energy", "-", "--json"],
            stdin=source,
            capture_output=True,
            cwd=tmp_path,
        )
    assert done.returncode == 0
    assert json.loads(done.stdout)["models"]


def test_what_came_on_standard_input_is_on_record(examples, tmp_path):
    content = (examples / "1l2y.pdb").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "motet", "minimise", "-", "-o", "out", "--max-steps", "1"],
        input=content,
        capture_output=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["inputs"] == {"-": hashlib.sha256(content).hexdigest()}


def test_a_directory_is_a_batch_that_goes_on_after_a_failure(examples, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(examples / "1l2y.pdb", tmp_path / "in/good.pdb")
    (tmp_path / "in/bad.pdb").write_text("nothing\n")
    done = motet("minimise", "in", "-o", "out", "--max-steps", "3", "--json", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "1 of 2 inputs failed: bad.pdb" in done.stderr
    assert (tmp_path / "out/good/minimised.pdb").exists()
    assert not (tmp_path / "out/bad").exists()
    assert json.loads(done.stdout)["failed"].keys() == {"bad.pdb"}
    again = motet("minimise", "in", "-o", "out", "--max-steps", "3", cwd=tmp_path, check=False)
    assert again.returncode == 1
    assert "done already" in again.stderr


@pytest.mark.parametrize("command", ["ensemble", "info"])
@pytest.mark.parametrize(
    "content", [None, "", "nothing!\n", "ATOM      1  CA  ALA A   1       0.000   0.000   0.000\n"]
)
def test_bad_input_is_one_line_and_exit_code_two(command, content, tmp_path):
    path = tmp_path / "bad.pdb"
    if content is not None:
        path.write_text(content)
    done = motet(command, path.name, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("bad.pdb: ")
    assert done.stdout == ""
    assert [one.name for one in tmp_path.iterdir()] == ([] if content is None else ["bad.pdb"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--device", "tpu"),
        ("--timestep", "0"),
        ("--temperature", "0"),
        ("-n", "0"),
        ("--nonsense",),
        ("--level", "0.3"),
        ("--method", "flow", "--weights", "absent.safetensors"),
    ],
)
def test_a_wrong_request_ends_with_exit_code_two(arguments, examples, tmp_path):
    done = motet("ensemble", examples / "1l2y.pdb", *arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_info_tells_what_was_read(examples, tmp_path):
    found = json.loads(motet("info", examples / "1l2y.pdb", "--json", cwd=tmp_path).stdout)
    assert found["kind"] == "pdb"
    assert found["residues"] == {"protein": 20}
    assert found["atoms"] == 154


@pytest.mark.gpu
def test_cuda_gives_the_energies_of_the_processor(examples, tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    here, there = (
        json.loads(motet("energy", examples / "1l2y.pdb", "--json", "--device", device, cwd=tmp_path).stdout)
        for device in ("cpu", "cuda")
    )
    assert here["models"][0]["total"] == pytest.approx(there["models"][0]["total"], rel=1e-4)
