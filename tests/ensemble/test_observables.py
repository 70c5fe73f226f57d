"""Observables: what they measure is known in advance, and turning the protein changes nothing."""

import pytest
import torch
from scipy.spatial.transform import Rotation

from motet.ensemble import observe


def turned(coords, seed=0):
    turns = torch.from_numpy(Rotation.random(len(coords), random_state=seed).as_matrix())
    random = torch.Generator().manual_seed(seed)
    return coords @ turns.mT + 20 * torch.randn(len(coords), 1, 3, generator=random, dtype=torch.float64)


@pytest.fixture
def shaken(beads):
    random = torch.Generator().manual_seed(2)
    size = torch.linspace(0.05, 0.4, 12, dtype=torch.float64)[:, None]
    return beads.coords + size * torch.randn(2000, 12, 3, generator=random, dtype=torch.float64)


def test_rmsf_grows_with_the_size_of_the_shaking(make_ensemble, shaken):
    rmsf = observe(make_ensemble(shaken)).rmsf
    expected = torch.linspace(0.05, 0.4, 12, dtype=torch.float64) * 3**0.5
    assert torch.corrcoef(torch.stack((rmsf, expected)))[0, 1] > 0.98
    assert float(rmsf.mean()) == pytest.approx(float(expected.mean()), rel=0.1)


def test_rigid_motion_changes_no_observable(make_ensemble, shaken):
    still, moved = observe(make_ensemble(shaken[:50])), observe(make_ensemble(turned(shaken[:50])))
    for name in ("rmsf", "radius_of_gyration", "rmsd_to_first", "pairwise_rmsd"):
        torch.testing.assert_close(getattr(still, name), getattr(moved, name), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(still.contacts.occupancy, moved.contacts.occupancy)
    torch.testing.assert_close(still.principal.variances, moved.principal.variances, atol=1e-5, rtol=1e-4)


def test_a_conformation_of_no_weight_counts_for_nothing(make_ensemble, shaken):
    coords = torch.cat((shaken[:50], shaken[:1] * 3))
    weights = torch.cat((torch.full((50,), 0.02), torch.zeros(1)))
    few, more = observe(make_ensemble(shaken[:50])), observe(make_ensemble(coords, weights))
    torch.testing.assert_close(few.rmsf, more.rmsf, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(few.principal.variances, more.principal.variances, atol=1e-6, rtol=1e-5)


def test_one_motion_is_one_component(make_ensemble, beads):
    swing = torch.linspace(-1, 1, 40, dtype=torch.float64)
    coords = beads.coords.expand(40, -1, -1).clone()
    coords[:, 6:, 0] += swing[:, None]
    principal = observe(make_ensemble(coords)).principal
    assert principal.explained[0] > 0.97
    assert torch.corrcoef(torch.stack((principal.projections[:, 0], swing)))[0, 1].abs() > 0.999


def test_contacts_are_counted_by_their_weight(make_ensemble, beads):
    coords = beads.coords[None].repeat(4, 1, 1)
    coords[0, 11] = coords[0, 0] + torch.tensor([3.0, 0, 0])
    contacts = observe(make_ensemble(coords, torch.tensor([0.4, 0.2, 0.2, 0.2]))).contacts
    found = {
        tuple(pair): occupancy
        for pair, occupancy in zip(contacts.pairs.tolist(), contacts.occupancy.tolist(), strict=True)
    }
    assert found[0, 11] == pytest.approx(0.4)
    assert all(j - i >= 3 for i, j in found)


def test_pairwise_rmsd_is_a_distance(make_ensemble, shaken):
    found = observe(make_ensemble(shaken[:20])).pairwise_rmsd
    torch.testing.assert_close(found, found.T)
    assert found.diagonal().abs().max() < 1e-3
    assert (found[0] - observe(make_ensemble(shaken[:20])).rmsd_to_first).abs().max() < 1e-3
