"""The training of the flow network: stopped and resumed, it ends with the bytes of one that was not."""

import argparse
import importlib
from pathlib import Path

import pytest
import torch

from motet.fold.flow import FlowConfig
from motet.fold.flow_examples import FlowExample
from motet.fold.flow_inputs import FlowInputs
from motet.fold.flow_weights import load_flow

SCRIPTS = Path(__file__).parents[2] / "scripts" / "train"
TINY = FlowConfig(c_single=16, c_pair=8, c_triangle=4, pair_blocks=1, blocks=1, heads=1, c_head=4, waves=2)


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    flow, data = importlib.import_module("flow"), importlib.import_module("flow_data")
    monkeypatch.setitem(flow.SIZES, "small", TINY)
    return flow, data


def parted(flow, data, two_states):
    """A chain in one state or two."""
    draws = torch.Generator().manual_seed(5)
    first, second = 3 * torch.randn(2, 30, 4, 3, generator=draws).cumsum(1)
    letters = "ACDEFGHIKLMNPQRSTVWYACDEFGHIKL"
    inputs = FlowInputs.of_sequence(data.numbered(letters), dtype=torch.float32)
    one = FlowExample(inputs, first, second if two_states else None)
    return flow.Parted([one], [one])


def run(flow, data, work, steps, seed=1):
    work.mkdir(exist_ok=True)
    told = argparse.Namespace(
        work=work, steps=steps, batch=2, crop=16, two_states=2, every=2, judge=2, minutes=None, seed=seed,
        device="cpu", compile=False, size="small", workers=0,
    )  # fmt: skip
    training = flow.Run(told, parted(flow, data, False), parted(flow, data, True))
    training.train()
    return training


@pytest.mark.slow
def test_a_training_that_was_stopped_ends_with_the_same_bytes_and_ships_its_average(scripts, tmp_path):
    flow, data = scripts
    whole = run(flow, data, tmp_path / "whole", 4)
    run(flow, data, tmp_path / "parts", 2)
    run(flow, data, tmp_path / "parts", 4)
    for name in ("state.safetensors", "log.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    flow.ship(tmp_path / "flow.safetensors", whole)
    shipped = load_flow(tmp_path / "flow.safetensors")
    assert shipped.origin["steps"] == "4"
    for name, value in whole.learner.average.items():
        torch.testing.assert_close(shipped.network.get_parameter(name), value, rtol=1e-3, atol=1e-5)
    assert "No side chains were seen" in (tmp_path / "flow.md").read_text()


def test_homologues_are_one_family_and_strangers_are_not(scripts):
    _, data = scripts
    sequence = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
    mutant = sequence[:10] + "W" + sequence[11:]
    first, second, third = data.families([sequence, mutant, sequence[::-1]])
    assert first == second
    assert first != third
