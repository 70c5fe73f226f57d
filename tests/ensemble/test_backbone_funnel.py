"""The funnel keeps the surface where proteins are, and leads there from everywhere else."""

import pytest
import torch

from motet.ensemble.backbone_funnel import FOOT, backbone_funnel
from motet.forcefield.surface import on_surface
from motet.forcefield.terms import BackboneEntropy


@pytest.fixture(scope="module")
def surfaces():
    return BackboneEntropy().coefficients.detach().double(), backbone_funnel().coefficients.detach().double()


def heights(coefficients, which, angles):
    return on_surface(coefficients, torch.full(angles.shape[1:], which), angles)


def test_well_inside_the_regions_that_are_seen_nothing_changes(surfaces):
    plain, funnel = surfaces
    home = torch.tensor([[-1.1, -2.0], [-0.75, 2.3]]).double()
    before, after = (heights(one, 0, home) for one in (plain, funnel))
    assert (before < FOOT).all()
    torch.testing.assert_close(after, before, rtol=0, atol=0.05)


@pytest.mark.parametrize("which", [0, 2, 3, 4, 5])  # glycine's surface has no plateau
def test_downhill_from_anywhere_ends_where_proteins_are(surfaces, which):
    plain, funnel = surfaces
    ends = []
    for surface in (plain, funnel):
        axis = torch.linspace(-3.1, 3.1, 24, dtype=torch.float64)
        angles = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
        for _ in range(300):
            angles = angles.detach().requires_grad_()
            (slope,) = torch.autograd.grad(heights(surface, which, angles).sum(), angles)
            angles = (angles - 0.02 * slope / slope.norm(dim=0).clamp_min(1.0)).detach()
        ends.append(float((heights(plain, which, angles) < 1.5 * FOOT).double().mean()))
    assert ends[1] > 0.95 > ends[0]
