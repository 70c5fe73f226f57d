"""Minimisation: it finds minima, and a batch is as good as a loop."""

import pytest
import torch

from motet.ensemble import minimise
from motet.errors import ConfigError

START = torch.randn(5, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def rosenbrock(coords):
    x = coords.flatten(-2)
    return (100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2 + (1 - x[..., :-1]) ** 2).sum(-1)


def lennard_jones(coords):
    i, j = torch.triu_indices(coords.shape[-2], coords.shape[-2], 1)
    squared = (coords[..., i, :] - coords[..., j, :]).square().sum(-1) + 1e-2
    return (squared**-6 - 2 * squared**-3).sum(-1)


def test_a_curved_valley_is_followed_to_a_stationary_point():
    found = minimise(rosenbrock, START, tolerance=1e-6, max_steps=3000)
    assert found.converged.all()
    at = found.coords.requires_grad_()
    (gradient,) = torch.autograd.grad(rosenbrock(at).sum(), at)
    assert gradient.abs().max() < 1e-5
    assert (found.energies < 5).all()


def test_a_batch_equals_a_loop():
    settings = {"tolerance": 1e-4, "max_steps": 400}
    batch = minimise(rosenbrock, START, **settings)
    for index, one in enumerate(START):
        alone = minimise(rosenbrock, one, **settings)
        torch.testing.assert_close(batch.coords[index], alone.coords, rtol=1e-9, atol=1e-9)
        assert batch.steps[index] == alone.steps


def test_a_bad_structure_spoils_no_other():
    bad = START.clone()
    bad[2] = 0.0  # all atoms at one point
    bad[3] *= 1e6
    found = minimise(lennard_jones, bad, max_steps=300, tolerance=1e-3)
    alone = minimise(lennard_jones, START[:2], max_steps=300, tolerance=1e-3)
    torch.testing.assert_close(found.coords[:2], alone.coords, rtol=1e-9, atol=1e-9)
    assert found.coords.isfinite().all()


def test_energy_never_rises():
    seen = []
    minimise(lennard_jones, START, max_steps=100, progress=lambda _, energies: seen.append(energies.clone()))
    assert (torch.stack(seen).diff(dim=0) <= 1e-9).all()


def test_a_walker_never_takes_a_step_into_a_hole_of_nan():
    def holed(coords):
        energy = rosenbrock(coords)
        return torch.where(coords[..., 0, 0] > 0.9, torch.nan, energy)

    start = START.clone()
    start[:, 0, 0] = 0.0
    found = minimise(holed, start, max_steps=200)
    assert found.coords.isfinite().all()
    assert found.energies.isfinite().all()


def test_atoms_that_may_not_move_stay():
    mobile = torch.tensor([True, False, True, False])
    found = minimise(lennard_jones, START, mobile=mobile, max_steps=50)
    assert torch.equal(found.coords[:, ~mobile], START[:, ~mobile])
    assert not torch.equal(found.coords[:, mobile], START[:, mobile])


def test_a_single_structure_needs_no_batch():
    found = minimise(rosenbrock, START[0], max_steps=10)
    assert found.coords.shape == (4, 3)
    assert found.energies.shape == ()


def test_no_steps_change_nothing():
    found = minimise(rosenbrock, START, max_steps=0)
    assert torch.equal(found.coords, START)


@pytest.mark.parametrize("setting", [{"tolerance": 0.0}, {"max_steps": -1}, {"memory": 0}, {"longest_step": 0.0}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ConfigError):
        minimise(rosenbrock, START, **setting)


def test_a_start_that_is_not_finite_is_refused():
    start = START.clone()
    start[0, 0, 0] = torch.nan
    with pytest.raises(ConfigError, match="not finite"):
        minimise(rosenbrock, start)


def test_float32_ends_where_float64_does():
    single = minimise(lennard_jones, START.float(), max_steps=500, tolerance=1e-2)
    double = minimise(lennard_jones, START, max_steps=500, tolerance=1e-2)
    assert single.converged.all()
    assert (single.energies - double.energies).abs().max() < 2.0  # both in a minimum; not always the same one
