"""Learning from a user's trajectories: what is held out, when it stops, and that it can be resumed."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from motet.ensemble import prepared
from motet.ensemble.fine_tuning import FineTuning, fine_tune, read_motion
from motet.ensemble.production import Memory
from motet.errors import ConfigError, NoProteinError
from motet.fold.flow import FlowConfig, FlowNetwork
from motet.fold.flow_path import FlowPath
from motet.fold.flow_weights import FlowModel, load_flow, save_flow
from motet.io import Trajectory, find_trajectories, read, read_trajectory, write, write_trajectory

TINY = FlowConfig(c_single=16, c_pair=8, c_triangle=4, pair_blocks=1, blocks=1, heads=1, c_head=4, waves=2)
QUICK = FineTuning(steps=6, every=2, batch=2, crop=12, rate=3e-3)


@pytest.fixture(scope="module")
def model():
    network = FlowNetwork(TINY)
    draws = torch.Generator().manual_seed(1)
    for value in network.parameters():
        value.data = 0.05 * torch.randn(value.shape, generator=draws)
    return FlowModel(network.eval(), FlowPath(), {"steps": "0"})


@pytest.fixture(scope="module")
def folder(examples, tmp_path_factory):
    """A protein that opens and closes about its middle, with hydrogens and all."""
    folder = tmp_path_factory.mktemp("md")
    cage = prepared(read(examples / "1l2y.pdb").model(0))
    late = torch.tensor(cage.topology.residue_of_atom).float().sub(10).clamp_min(0)[:, None]
    swing = torch.linspace(0, 12, 40).sin()[:, None, None]
    frames = cage.coords + 0.3 * swing * late * torch.tensor([1.0, 0.0, 0.0])
    write(cage, folder / "cage.pdb")
    write_trajectory(folder / "cage.xtc", frames)
    return folder


@pytest.fixture(scope="module")
def motion(folder):
    (found,) = find_trajectories(folder)
    return read_motion(found)


def test_a_motion_is_the_backbone_of_the_trajectory(folder, motion):
    structure = read(folder / "cage.pdb")
    backbone = torch.from_numpy(structure.topology.backbone[:, :3].copy())
    torch.testing.assert_close(motion.frames[0], structure.coords.reshape(-1, 3)[backbone], rtol=0, atol=0.006)
    assert motion.frames.shape[1:] == (20, 3, 3)
    assert motion.inputs.numbers.diff().eq(1).all()


def test_models_of_one_file_are_a_motion_too(folder, motion, tmp_path):
    cage = read(folder / "cage.pdb")
    frames = read_trajectory(folder / "cage.xtc", cage.topology)
    write(cage.with_coords(frames), tmp_path / "models.pdb")
    found = read_motion(Trajectory(tmp_path / "models.pdb"), stride=2)
    torch.testing.assert_close(found.frames, motion.frames[::2], rtol=0, atol=0.006)


def test_whole_pieces_are_held_out_and_not_the_ends(motion):
    long = replace(motion, frames=motion.frames[:1].expand(200, -1, -1, -1))
    held = long.held_out
    assert held.sum() == 40
    pieces = held.int().diff().ne(0).sum() / 2
    assert pieces == 4
    assert not held[0]
    assert not held[-1]


def test_frames_that_resemble_each_other_are_worth_less(motion):
    draws = torch.Generator().manual_seed(0)
    shape = (200, 20, 3, 3)
    rough = motion.frames[0] + torch.randn(shape, generator=draws)
    smooth = motion.frames[0] + torch.randn(shape, generator=draws).cumsum(0) / 20
    worth = [replace(motion, frames=frames).independent_frames for frames in (rough, smooth)]
    assert worth[0] > 100 > 50 > worth[1]


def test_learning_lowers_the_loss_on_frames_that_were_not_learnt_from(model, motion):
    tuned = fine_tune(model, [motion], replace(QUICK, steps=40, every=10), Memory())
    assert tuned.course[:, 0].tolist() == [0, 10, 20, 30, 40]
    assert tuned.course[tuned.best, 2] < 0.9 * tuned.course[0, 2]
    assert tuned.model.origin["tuned_on"] == "cage"
    assert tuned.model.origin["tuned_steps"] == str(10 * tuned.best)
    before, after = (
        torch.cat([value.flatten() for value in one.network.state_dict().values()]) for one in (model, tuned.model)
    )
    assert (before - after).abs().max() > 1e-3


def test_it_stops_when_nothing_gets_better_and_gives_the_best_back(model, motion):
    tuned = fine_tune(model, [motion], replace(QUICK, steps=1000, rate=1e3, patience=2), Memory())
    assert tuned.best == 0
    assert len(tuned.course) == 3
    for name, value in model.network.named_parameters():
        assert torch.equal(tuned.model.network.get_parameter(name), value)


def test_a_stopped_run_goes_on_and_ends_the_same(model, motion):
    whole = fine_tune(model, [motion], QUICK, Memory())
    rounds = Memory()
    fine_tune(model, [motion], replace(QUICK, steps=2), rounds)
    parts = fine_tune(model, [motion], QUICK, rounds)
    torch.testing.assert_close(parts.course, whole.course, equal_nan=True, rtol=0, atol=0)
    for name, value in whole.model.network.named_parameters():
        assert torch.equal(parts.model.network.get_parameter(name), value)


def test_too_little_is_refused(model, folder, motion, tmp_path):
    with pytest.raises(ConfigError, match="5 frames are too few"):
        fine_tune(model, [replace(motion, frames=motion.frames[:5])], QUICK, Memory())
    with pytest.raises(ConfigError, match="rate > 0"):
        replace(QUICK, rate=0.0)
    cage = read(folder / "cage.pdb")
    write(cage.subset(cage.topology.atom_names != "C"), tmp_path / "broken.pdb")
    with pytest.raises(NoProteinError):
        read_motion(Trajectory(tmp_path / "broken.pdb"))


@pytest.mark.slow
def test_the_command_writes_weights_that_ensemble_takes(model, folder, tmp_path):
    save_flow(model, tmp_path / "start.safetensors")
    asked = [
        "train",
        "--trajectories",
        folder,
        "--weights",
        "start.safetensors",
        "--steps",
        4,
        "--every",
        2,
        "-o",
        "out",
    ]

    def motet(*arguments):
        command = [sys.executable, "-m", "motet", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    done = motet(*asked, "--json")
    summary = json.loads(done.stdout)
    assert "that is little" in done.stderr
    assert summary["steps"] == 4
    with (tmp_path / "out" / "training.csv").open() as source:
        looks = list(csv.DictReader(source))
    assert [row["step"] for row in looks] == ["0", "2", "4"]
    assert min(float(row["held_out"]) for row in looks) == pytest.approx(summary["held_out_after"], abs=1e-4)
    assert "not learnt from" in (tmp_path / "out" / "training.html").read_text()
    assert load_flow(tmp_path / "out" / "flow.safetensors").origin["tuned_on"] == "cage"
    again = motet(*asked)
    assert "done already" in again.stderr
    flow = ("--method", "flow", "--weights", "out/flow.safetensors", "-n", 2, "--replicas", 2, "--level", 0.02)
    motet("ensemble", folder / "cage.pdb", *flow, "-o", "drawn")
    assert (tmp_path / "drawn" / "samples.xtc").exists()
