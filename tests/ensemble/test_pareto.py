import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from motet.ensemble.pareto import pareto_smoothed
from motet.errors import ConfigError, NonFiniteError

CASES = json.loads((Path(__file__).parents[1] / "references" / "pareto_arviz.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"width-{case['width']}")
def test_shape_and_smoothed_weights_are_those_of_arviz(case):
    logs = np.random.default_rng(case["seed"]).standard_normal(case["n"]) * case["width"]
    found = pareto_smoothed(torch.from_numpy(logs))
    assert found.k == pytest.approx(case["k"], abs=1e-10)
    assert found.trusted == (case["k"] <= 0.7)
    largest = found.weights.log()[np.argsort(logs)[-5:]]
    torch.testing.assert_close(largest, torch.tensor(case["largest"], dtype=torch.float64), rtol=1e-9, atol=1e-9)
    assert float(found.weights.sum()) == pytest.approx(1)


def test_equal_weights_and_few_weights_are_not_trusted_blindly():
    assert pareto_smoothed(torch.zeros(4)).k == math.inf
    assert not pareto_smoothed(torch.zeros(100)).trusted
    torch.testing.assert_close(pareto_smoothed(torch.zeros(100)).weights, torch.full((100,), 0.01).double())


def test_weights_far_apart_stay_finite():
    found = pareto_smoothed(torch.linspace(-5000, 0, 200))
    assert found.weights.isfinite().all()
    assert not found.trusted


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(ConfigError):
        pareto_smoothed(torch.zeros(0))
    with pytest.raises(NonFiniteError):
        pareto_smoothed(torch.tensor([0.0, torch.inf]))
