import pytest
import torch

from motet.cluster import earth_movers
from motet.errors import ConfigError


def test_on_a_line_it_is_the_area_between_the_cumulative_populations():
    generator = torch.Generator().manual_seed(0)
    one, two = torch.rand(2, 7, generator=generator, dtype=torch.float64)
    places = torch.arange(7.0, dtype=torch.float64)
    distances = (places[:, None] - places).abs()
    expected = (one / one.sum() - two / two.sum()).cumsum(0).abs().sum()
    assert earth_movers(distances, one, two).distance == pytest.approx(float(expected))


def test_the_plan_moves_all_and_only_what_is_there():
    generator = torch.Generator().manual_seed(1)
    one, two = torch.rand(4, generator=generator), torch.rand(6, generator=generator)
    plan = earth_movers(torch.rand(4, 6, generator=generator), one, two).plan
    torch.testing.assert_close(plan.sum(1), one / one.sum())
    torch.testing.assert_close(plan.sum(0), two / two.sum())
    assert (plan >= 0).all()


def test_a_set_is_no_distance_from_itself_and_distances_scale():
    generator = torch.Generator().manual_seed(2)
    points = torch.rand(5, 3, generator=generator, dtype=torch.float64)
    one, two = torch.rand(2, 5, generator=generator, dtype=torch.float64)
    distances = torch.cdist(points, points)
    assert earth_movers(distances, one, 3 * one).distance == pytest.approx(0, abs=1e-12)
    assert earth_movers(2 * distances, one, two).distance == pytest.approx(
        2 * earth_movers(distances, two, one).distance
    )


def test_mistakes_are_refused():
    one = torch.ones(2)
    with pytest.raises(ConfigError, match="shape"):
        earth_movers(torch.zeros(2, 3), one, one)
    with pytest.raises(ConfigError):
        earth_movers(-torch.ones(2, 2), one, one)
    with pytest.raises(ConfigError, match="without population"):
        earth_movers(torch.ones(2, 2), one, torch.zeros(2))
