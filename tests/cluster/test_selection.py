import pytest
import torch

from motet.cluster import MPPCA, SESC, KMeans, select
from motet.errors import ConfigError


def groups(k=3, each=60, dims=4, apart=12.0, flat=0):
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(k, each, dims, generator=generator, dtype=torch.float64)
    points[..., :flat] *= 5
    points[..., -1] += apart * torch.arange(k)[:, None]
    return points.flatten(0, 1)


def test_the_number_of_round_groups_is_found():
    chosen = select(groups(), [KMeans(k) for k in range(1, 6)])
    assert chosen.best.k == 3
    by_k = {trial.candidate.k: trial for trial in chosen.trials}
    assert by_k[3].stability == pytest.approx(1)
    assert by_k[3].held_out > by_k[2].held_out > by_k[1].held_out
    assert by_k[5].stability < 0.9


def test_number_and_dimension_of_flat_groups_are_found():
    race = [SESC(k, dimension=d, starts=10) for k in (1, 2, 3) for d in (0, 1, 2)]
    chosen = select(groups(k=2, each=100, apart=20.0, flat=1), race, folds=3)
    assert (chosen.best.k, chosen.best.dimension) == (2, 1)


def test_one_cloud_stays_one_cluster():
    chosen = select(groups(k=1, each=150), [KMeans(k) for k in (1, 2, 3)])
    assert chosen.best.k == 1


def test_methods_race_on_one_scale():
    points = groups()
    trials = select(points, [KMeans(3), SESC(3, dimension=0, starts=10), MPPCA(3, dimension=0, starts=10)]).trials
    assert trials[0].held_out == pytest.approx(trials[1].held_out)
    assert trials[0].held_out == pytest.approx(trials[2].held_out, abs=0.01)
    assert len({trial.parameters for trial in trials}) == 1


def test_mistakes_are_refused():
    with pytest.raises(ConfigError):
        select(groups(), [])
    with pytest.raises(ConfigError):
        select(groups(), [KMeans(2)], folds=1)
    with pytest.raises(ConfigError, match="no candidate is stable"):
        select(groups(k=1, each=100), [KMeans(4), KMeans(5)], stable=0.95)
