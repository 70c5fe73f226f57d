"""What every density target owes its users, and what each is for."""

import pytest
import torch
from torch.autograd import gradcheck

from motet.density import (
    DensityMap,
    Grid,
    InterpolatedDensity,
    MapCorrelation,
    MixtureDensity,
    ModelDensity,
    ShellLikelihood,
    balance,
    fit_b_factors,
    fit_overall_b,
    phase_randomised,
    render,
)
from motet.errors import ConfigError


@pytest.fixture(scope="module")
def scene(trp_cage, electrons):
    """Twenty atoms and the map that they make."""
    coords = trp_cage.coords[:20]
    grid = Grid((16, 16, 16), torch.eye(3) * 1.1, coords.mean(0) - 8.3)
    atoms = electrons.subset(torch.arange(20))
    model = ModelDensity(atoms, torch.full((20,), 25.0).double(), torch.ones(20).double(), grid)
    return coords, DensityMap(model(coords), grid), model


TARGETS = {
    "interpolated": lambda density, model: InterpolatedDensity(density, model.scatterers.amplitudes.sum(-1)),
    "box": lambda density, model: MapCorrelation(density, model),
    "mask": lambda density, model: MapCorrelation(density, model, density.density > density.density.mean()),
    "shells": lambda density, model: ShellLikelihood(density, model, 2.5, 6),
}


@pytest.fixture(params=TARGETS)
def target(request, scene):
    _, density, model = scene
    return TARGETS[request.param](density, model)


def shaken(coords, size, seed=0):
    return coords + size * torch.randn(coords.shape, generator=torch.Generator().manual_seed(seed)).double()


def test_the_true_model_is_best(target, scene):
    coords = scene[0]
    near, far = target(shaken(coords, 0.2)), target(shaken(coords, 1.0))
    assert target(coords) < near < far


def test_gradients_agree_with_finite_differences(target, scene):
    few = shaken(scene[0], 0.3)
    direction = shaken(torch.zeros_like(few), 1.0, 5)
    along = torch.zeros((), dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda t: target(few + t * direction), (along,), eps=1e-5, atol=1e-6)


def test_a_batch_equals_a_loop(target, scene):
    batch = torch.stack([shaken(scene[0], 0.3, seed) for seed in range(3)])
    torch.testing.assert_close(target(batch), torch.stack([target(one) for one in batch]))


def test_a_clash_and_a_flight_are_finite(target, scene):
    for coords in (torch.zeros_like(scene[0]) + scene[0][0], scene[0] + 1e4):
        at = coords.clone().requires_grad_()
        value = target(at)
        (gradient,) = torch.autograd.grad(value, at)
        assert value.isfinite()
        assert gradient.isfinite().all()


def test_targets_stand_in_sums(scene):
    coords, density, model = scene
    first, second = MapCorrelation(density, model), ShellLikelihood(density, model, 2.5)
    both = 3.0 * first + second
    moved = shaken(coords, 0.3)
    torch.testing.assert_close(both(moved), 3 * first(moved) + second(moved))


def test_a_balanced_weight_makes_pulls_equal(scene):
    coords, density, model = scene
    first, second = MapCorrelation(density, model), InterpolatedDensity(density, torch.ones(20))
    moved = shaken(coords, 0.3)
    weight = balance(first, second, moved)
    assert balance(first, float(weight) * second, moved).item() == pytest.approx(1)


def test_a_map_on_another_grid_is_refused(scene):
    _, density, model = scene
    shifted = Grid(density.grid.shape, density.grid.axes, density.grid.origin + 0.5)
    with pytest.raises(ConfigError, match="origin"):
        MapCorrelation(DensityMap(density.density, shifted), model)


def test_two_states_explain_a_map_that_neither_explains_alone(scene):
    coords, _, model = scene
    other = coords + torch.tensor([2.5, 0.0, 0.0]).double()
    states = torch.cat((coords, other))
    shares = torch.tensor([0.7, 0.3]).double()
    mixture = MixtureDensity(model, shares)
    both = MapCorrelation(DensityMap(mixture(states), model.grid), mixture)
    alone = MapCorrelation(both.target, model)
    assert both(states).item() == pytest.approx(0, abs=1e-9)
    assert alone(coords) > 0.01
    swapped = MapCorrelation(both.target, MixtureDensity(model, shares.flip(0)))
    assert swapped(states) > 0.01
    gradient = torch.autograd.functional.jacobian(lambda x: both(x), shaken(states, 0.2))
    assert (gradient.reshape(2, -1).norm(dim=-1) > 0).all()


def test_b_factors_are_found_again(scene):
    coords, _, model = scene
    truth = torch.where(torch.arange(20) < 10, 15.0, 60.0).double()
    density = DensityMap(model.with_b_factors(truth)(coords), model.grid)
    uniform = DensityMap(model.with_b_factors(torch.full_like(truth, 42.0))(coords), model.grid)
    assert fit_overall_b(uniform, coords, model) == pytest.approx(42, rel=0.06)
    groups = (torch.arange(20) >= 10).long()
    found = fit_b_factors(density, coords, model, groups, torch.tensor([[0, 1]]), steps=150, smoothness=0.0)
    assert found[0].item() == pytest.approx(15, rel=0.1)
    assert found[-1].item() == pytest.approx(60, rel=0.1)


def test_random_phases_keep_the_power_and_what_is_coarse(scene):
    density = scene[1]
    noisy = phase_randomised(density, 4.0, seed=1)
    before, after = (torch.fft.rfftn(one.density) for one in (density, noisy))
    torch.testing.assert_close(before.abs(), after.abs(), atol=2e-2 * float(before.abs().max()), rtol=0.05)
    from motet.density import low_pass

    coarse = [low_pass(one.density, density.grid, 4.01) for one in (density, noisy)]
    torch.testing.assert_close(*coarse)
    assert (noisy.density - density.density).abs().max() > 0.1 * density.density.max()
    assert torch.equal(phase_randomised(density, 4.0, seed=1).density, noisy.density)


def test_a_cut_model_is_compared_at_the_resolution(scene):
    coords, _, model = scene
    cut = ModelDensity(model.scatterers, model.b_factors, model.occupancies, model.grid, resolution=3.0)
    whole = render(coords, model.scatterers, model.b_factors, model.occupancies, model.grid)
    waves = torch.fft.rfftn(cut(coords)).abs()
    from motet.density.fourier import frequencies

    beyond = frequencies(model.grid, whole) > 1 / 3.0
    assert waves[beyond].max() < 1e-9 * waves.max()
