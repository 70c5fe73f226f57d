import math

import pytest
import torch

from motet.fold.probe import TokenStatistics, effective_rank, probed

from .conftest import MODULES_MODEL, features_of


def test_effective_rank_counts_directions():
    assert effective_rank(torch.eye(5, dtype=torch.float64)) == pytest.approx(5)
    assert effective_rank(torch.ones(4, 3, dtype=torch.float64)) == pytest.approx(1)
    assert effective_rank(torch.zeros(4, 3)) == 0


def test_tokens_in_one_place_have_cosine_one_and_tokens_in_two_opposite_places_show_it():
    token = torch.randn(8, generator=torch.Generator().manual_seed(0))
    assert TokenStatistics.of(token.expand(6, 8)).mean_cosine == pytest.approx(1)
    two = TokenStatistics.of(torch.stack((token, token, -token, -token)))
    # of six pairs four are opposite, two alike
    assert two.cosines[0] == pytest.approx(4 / 6)
    assert two.cosines[-1] == pytest.approx(2 / 6)
    assert two.cosines.sum() == pytest.approx(1)


def test_energy_is_largest_where_all_tokens_are_one():
    """Σ exp⟨x_i, x_j⟩ / (2n²): e/2 in one place, (e + 1/e)/4 in two opposite ones."""
    token = torch.randn(8, generator=torch.Generator().manual_seed(0))
    assert TokenStatistics.of(token.expand(6, 8)).energy == pytest.approx(math.e / 2)
    two = TokenStatistics.of(torch.stack((token, token, -token, -token)))
    assert two.energy == pytest.approx((math.e + 1 / math.e) / 4)


def test_a_probe_sees_every_block_and_changes_nothing(make_model, modules):
    model, features = make_model(MODULES_MODEL).double(), features_of(modules, torch.float64)
    with torch.inference_mode():
        alone = model(features)
        with probed(model.trunk.evoformer) as probe:
            watched = model(features)
        model(features)
    assert torch.equal(alone.folded.positions, watched.folded.positions)
    assert len(probe.residues) == len(probe.rows) == 2
    last = TokenStatistics.of(watched.representations.msa[0])
    assert probe.residues[-1].mean_cosine == pytest.approx(last.mean_cosine)
    assert 1 < probe.rows[-1].effective_rank <= 10  # six clusters and four templates
