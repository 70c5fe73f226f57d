"""Principal components keep distances, and do not depend on how a cloud was written down."""

import pytest
import torch

from motet.cluster import principal


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_all_components_keep_all_distances(shape):
    points = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    view, shares = principal(points, 100)
    torch.testing.assert_close(torch.cdist(view, view), torch.cdist(points, points), atol=1e-6, rtol=0)
    assert float(shares.sum()) == pytest.approx(1)
    assert (shares.diff() <= 0).all()


def test_the_first_component_is_where_the_cloud_is_widest():
    generator = torch.Generator().manual_seed(1)
    axis = torch.nn.functional.normalize(torch.randn(12, generator=generator, dtype=torch.float64), dim=0)
    along = 5 * torch.randn(200, generator=generator, dtype=torch.float64)
    points = along[:, None] * axis + 0.1 * torch.randn(200, 12, generator=generator, dtype=torch.float64)
    view, shares = principal(points, 1)
    assert shares[0] > 0.98
    assert abs(torch.corrcoef(torch.stack((view[:, 0], along)))[0, 1]) > 0.999


def test_a_heavy_point_counts_as_often_as_its_weight():
    points = torch.randn(20, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    counts = torch.arange(20) % 3 + 1
    heavy, shares = principal(points, 3, weights=counts.double())
    repeated, again = principal(points.repeat_interleave(counts, 0), 3)
    torch.testing.assert_close(heavy.repeat_interleave(counts, 0), repeated)
    torch.testing.assert_close(shares, again)


def test_a_cloud_without_spread_is_finite():
    view, shares = principal(torch.ones(5, 3), 2)
    assert not view.any()
    assert shares.isfinite().all()
