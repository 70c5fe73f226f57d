"""Production: rounds add up, on disk as in memory, stopped or not."""

import pytest
import torch

from motet.ensemble import Checkpoint, Langevin, Plan, load, produce, save, save_parquet
from motet.ensemble.checkpoint import drop_idle_parts, has_parts
from motet.errors import FormatError, ResumeError
from motet.io import read

from .springs import Springs

GENERATOR = Langevin(replicas=3, burn_in=5, interval=7)
PLAN = Plan(count=10, seed=2, minimise_steps=5, relax_steps=0)


class StoppedError(Exception):
    """What Ctrl-C does."""


def stop_after(rounds):
    def progress(done, in_all):
        if done > rounds:
            raise StoppedError

    return progress


def test_an_ensemble_has_the_conformations_asked_for(beads, springs):
    made = produce(beads, springs, GENERATOR, PLAN)
    assert len(made) == 10
    assert made.replica.tolist() == [0, 1, 2] * 3 + [0]
    assert made.step.tolist() == [12] * 3 + [19] * 3 + [26] * 3 + [33]
    assert made.weights.tolist() == pytest.approx([0.1] * 10)
    assert made.provenance.weighting == "sampled"
    assert made.provenance.settings["interval"] == 7
    torch.testing.assert_close(made.total_energies, springs(made.coords).float())


def test_relaxed_draws_lie_lower(beads, springs):
    drawn = produce(beads, springs, GENERATOR, PLAN)
    relaxed = produce(beads, springs, GENERATOR, Plan(count=10, seed=2, minimise_steps=5, relax_steps=3))
    assert (relaxed.total_energies < drawn.total_energies).all()


def test_a_stopped_run_goes_on_and_ends_the_same(beads, springs, tmp_path):
    whole = produce(beads, springs, GENERATOR, PLAN)
    checkpoint = Checkpoint(tmp_path / "run", {"seed": 2})
    with pytest.raises(StoppedError):
        produce(beads, springs, GENERATOR, PLAN, checkpoint, stop_after(2))
    assert checkpoint.open() == 2
    resumed = produce(beads, springs, GENERATOR, PLAN, checkpoint)
    assert torch.equal(resumed.coords, whole.coords)
    assert torch.equal(resumed.energies, whole.energies)
    checkpoint.close()
    assert not has_parts(tmp_path / "run")


def test_parts_of_another_run_are_refused(tmp_path):
    Checkpoint(tmp_path, {"seed": 2, "count": 10}).open()
    with pytest.raises(ResumeError, match="another seed"):
        Checkpoint(tmp_path, {"seed": 3, "count": 10}).open()


def test_only_parts_without_work_are_idle(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run", {"seed": 2})
    checkpoint.open()
    drop_idle_parts(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    checkpoint.open()
    checkpoint.write(0, {"drawn": torch.ones(3)})
    drop_idle_parts(tmp_path / "run")
    assert checkpoint.open() == 1


@pytest.fixture
def made(examples):
    """A small ensemble of a real protein, tied to its place by springs."""
    start = read(examples / "1l2y.pdb")
    return produce(start, Springs(start.coords), GENERATOR, PLAN)


def test_what_is_saved_reads_back(made, tmp_path):
    save(made, tmp_path)
    back = load(tmp_path)
    assert back.structure.topology == made.structure.topology
    torch.testing.assert_close(back.coords, made.coords, atol=0.0051, rtol=0)  # XTC keeps 0.01 Å
    torch.testing.assert_close(back.weights, made.weights)
    torch.testing.assert_close(back.energies, made.energies, atol=1e-4, rtol=0)
    assert back.energy_terms == made.energy_terms
    assert torch.equal(back.replica, made.replica)
    assert torch.equal(back.step, made.step)
    assert back.provenance == made.provenance
    assert back.structure.name == "1l2y"


def test_the_table_is_saved_as_parquet_too(made, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    save_parquet(made, tmp_path / "ensemble.parquet")
    table = parquet.read_table(tmp_path / "ensemble.parquet").to_pydict()
    assert table["replica"] == made.replica.tolist()
    assert table["spring"] == pytest.approx(made.energies[:, 0].tolist(), abs=1e-4)


def test_a_directory_that_is_no_ensemble_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"topology\.pdb"):
        load(tmp_path)


def test_a_table_that_does_not_fit_is_refused(made, tmp_path):
    save(made, tmp_path)
    table = tmp_path / "ensemble.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(FormatError, match="9 rows"):
        load(tmp_path)
    table.write_text("nonsense\n")
    with pytest.raises(FormatError, match="not an ensemble table"):
        load(tmp_path)
