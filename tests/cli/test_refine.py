"""`motet refine`: what it refuses, each in one line."""

import subprocess
import sys

import pytest
import torch

from motet.density import DensityMap, Grid
from motet.io import read

pytestmark = pytest.mark.slow


def run(*arguments):
    """The command line as a process of its own."""
    words = [sys.executable, "-m", "motet", "refine", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def density(examples, tmp_path_factory):
    """A map of nothing, around Trp-cage."""
    model = read(examples / "1l2y.pdb").model(0)
    grid = Grid((20, 20, 20), torch.eye(3) * 2, model.coords.mean(0) - 20)
    path = tmp_path_factory.mktemp("map") / "empty.mrc"
    DensityMap(torch.zeros(grid.shape), grid).write(path)
    return path


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--resolution", "-3"], "resolution of -3.0"),
        (["--resolution", "3", "--dock", "perhaps"], "choose auto, always, never"),
        (["--resolution", "3", "--weight", "-1"], "weight >= 0"),
        (["--resolution", "3", "--temperature", "-1"], "temperature >= 0"),
    ],
)
def test_a_wrong_setting_is_one_line(more, said, density, examples, tmp_path):
    done = run(examples / "1l2y.pdb", density, *more, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_is_no_map(examples, tmp_path):
    model = examples / "1l2y.pdb"
    done = run(model, model, "--resolution", 3, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
