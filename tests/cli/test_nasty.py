"""Hostile files at the door: refused in one line, or accepted with finite energies and a word about the repair."""

import json
import math
from pathlib import Path

import pytest
import torch

from motet.cli.info import _inform as inform
from motet.errors import MotetError, NoProteinError

MANIFEST = Path(__file__).parents[2].parent / "shared/data/nasty/MANIFEST.json"
CASES = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []

pytestmark = pytest.mark.skipif(not CASES, reason=f"needs the corpus of nasty files in {MANIFEST.parent}")


def described(path):
    """What `motet info` prints, or the words with which it refuses."""
    try:
        return inform(path, as_json=True), ""
    except MotetError as error:
        return None, str(error)


def is_structure(case):
    """Whether a case is a structure that may be accepted."""
    return case["expect"] != "error" and case["file"].split(".", 1)[1][:3] in ("pdb", "cif", "ent")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_nasty_file_is_described_or_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = MANIFEST.parent / case["file"]
    if path.name == "weights_shape.safetensors":
        pytest.skip("only a model knows the shapes it wants; tests/io asks with shapes")
    found, refusal = described(path)
    assert not list(tmp_path.iterdir())
    if found is None:
        assert case["expect"] in ("warn", "error"), refusal
        assert "\n" not in refusal
        assert path.name in refusal
        assert ";" in refusal  # what is wrong; what to do
    else:
        assert case["expect"] in ("ok", "warn")
        assert json.dumps(found)
        assert found["notes"] or case["expect"] == "ok"


def marked(case):
    """The case, marked slow when it is large."""
    large = case["file"] == "synth/hybrid36_53k.pdb.gz"
    return pytest.param(case, marks=[pytest.mark.slow] if large else [], id=case["file"])


@pytest.mark.parametrize("case", [marked(case) for case in CASES if is_structure(case)])
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
