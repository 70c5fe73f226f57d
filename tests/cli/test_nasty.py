"""Hostile files at the door: refused in one line, or accepted with finite energies and a word about the repair."""

import json
import math
import time
from pathlib import Path

import pytest
import torch

from motet.cli.info import _inform as inform
from motet.errors import MotetError, NoProteinError

MANIFEST = Path(__file__).parents[2].parent / "shared/data/nasty/MANIFEST.json"
CASES = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []
LONGEST = 10.0  # seconds
EXPECTED_SHAPES = {"w": (2, 2)}

pytestmark = pytest.mark.skipif(not CASES, reason=f"needs the corpus of nasty files in {MANIFEST.parent}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_nasty_file_is_described_or_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = MANIFEST.parent / case["file"]
    if path.name == "weights_shape.safetensors":
        pytest.skip("only a model knows the shapes it wants; tests/io asks with shapes")
    began = time.monotonic()
    try:
        found = inform(path, as_json=True)
    except MotetError as error:
        assert case["expect"] in ("warn", "error"), str(error)
        assert "\n" not in str(error)
        assert path.name in str(error)
        assert ";" in str(error)  # what is wrong; what to do
    else:
        assert case["expect"] in ("ok", "warn")
        assert json.dumps(found)
        if case["expect"] == "warn":
            assert found["notes"]
    assert time.monotonic() - began < LONGEST
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if case["expect"] != "error" and case["file"].split(".", 1)[1][:3] in ("pdb", "cif", "ent")
    ],
    ids=lambda case: case["file"],
)
def test_what_is_accepted_has_finite_energies_and_forces(case):
    from motet.ensemble import prepared
    from motet.forcefield import ForceField
    from motet.io import read

    try:
        structure = prepared(read(MANIFEST.parent / case["file"])).model(0)
    except NoProteinError:
        pytest.skip("accepted for what it is: no protein")
    except MotetError:
        assert case["expect"] == "warn"
        return
    coords = structure.coords.clone().requires_grad_()
    energy = ForceField().bind(structure)(coords)
    (gradient,) = torch.autograd.grad(energy, coords)
    assert math.isfinite(energy.item())
    assert gradient.isfinite().all()
