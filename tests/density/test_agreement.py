"""Correlations and Fourier shells: laws, and the figures of deposited models."""

import pytest
import torch

from motet import io
from motet.density import (
    DensityMap,
    Grid,
    blurred,
    correlation,
    fourier_shell_correlation,
    low_pass,
    model_mask,
    render,
    resampled,
    scatterers_of,
    soft_mask,
    van_der_waals_radii,
)

GRID = Grid(
    (12, 15, 16), torch.tensor([[1.0, 0, 0], [0.2, 1.1, 0], [0.1, 0.3, 0.9]]), torch.tensor([3.3, -7.1, 9.0])
)
NOISE = torch.randn(12, 15, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_correlation_ignores_scale_and_offset():
    other = NOISE.flip(0) + NOISE
    assert correlation(3 * NOISE + 7, other).item() == pytest.approx(correlation(NOISE, other).item())
    assert correlation(NOISE, NOISE).item() == pytest.approx(1)
    assert correlation(NOISE, torch.ones_like(NOISE)).item() == 0


def test_a_low_pass_is_a_projection_and_leaves_what_is_coarse():
    once = low_pass(NOISE, GRID, 3.0)
    torch.testing.assert_close(low_pass(once, GRID, 3.0), once)
    torch.testing.assert_close(low_pass(NOISE, GRID, 0.5), NOISE)


def test_a_blur_undoes_a_sharpening():
    coarse = low_pass(NOISE, GRID, 3.0)
    torch.testing.assert_close(blurred(blurred(coarse, GRID, 20.0), GRID, -20.0), coarse)


def test_a_shell_of_a_map_with_itself_is_one_and_with_its_negative_minus_one():
    same = fourier_shell_correlation(NOISE, NOISE, GRID)
    assert torch.allclose(same.values, torch.ones_like(same.values))
    assert same.resolution() == pytest.approx(1 / float(same.frequency[-1]))
    assert fourier_shell_correlation(NOISE, -NOISE, GRID).resolution() == float("inf")


def test_shells_beyond_a_cut_have_no_correlation_with_what_was_cut():
    curve = fourier_shell_correlation(NOISE, low_pass(NOISE, GRID, 4.0) + 1e-3 * NOISE.flip(1), GRID)
    assert (curve.values[curve.frequency < 0.22] > 0.99).all()
    assert (curve.values[curve.frequency > 0.30].abs() < 0.6).all()
    assert curve.resolution() == pytest.approx(4.0, rel=0.2)


def test_a_finer_grid_holds_the_same_map():
    coarse = DensityMap(low_pass(NOISE, GRID, 3.0), GRID)
    finer = resampled(coarse, 0.5)
    points = GRID.centres()[3:9, 3:9, 3:9]
    again = resampled(finer, 1.0)
    assert finer.grid.count > 6 * GRID.count
    assert correlation(finer.at(points), coarse.at(points)).item() > 0.98
    assert again.density.std().item() == pytest.approx(coarse.density.std().item(), rel=0.02)


def test_a_mask_is_the_atoms_and_what_is_near():
    coords, radii = GRID.centres()[6, 7, 8][None], torch.tensor([1.7])
    apart = (GRID.centres() - coords).norm(dim=-1)
    whole = model_mask(coords, radii, GRID, shrinkage=0.0)
    assert torch.equal(whole, apart <= 1.7 + 1.1)
    eroded = model_mask(coords, radii, GRID, shrinkage=1.3)
    assert eroded[6, 7, 8]
    assert eroded.sum() < whole.sum()
    assert not (eroded & ~whole).any()
    soft = soft_mask(coords, radii, GRID)
    assert soft[6, 7, 8] == 1
    assert soft[apart > 4.5].max() == 0
    assert not model_mask(coords + 100, radii, GRID).any()


CASES = {
    "emd20026_apoferritin": ("emd20026_prot.mrc", "3ajo_fitted_refined.pdb", 1.75, 0.8185, 0.6821, 1.97),
    "emd2566_mito_bL9": ("2566_3J6B_9.mrc", "3J6B_9.pdb", 3.2, 0.7344, 0.6243, 3.50),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_deposited_models_fit_as_published_methods_say(case, shared):
    """Figures of an independent prototype, with the mask of phenix (Afonine et al. 2018)."""
    map_file, model_file, resolution, in_mask, in_box, half = CASES[case]
    density = DensityMap.read(shared / "density" / case / map_file)
    model = io.read(shared / "density" / case / model_file).select("heavy").model(0)
    atoms = scatterers_of(model.topology)
    calculated = render(model.coords, atoms, model.b_factors, model.occupancies, density.grid)
    cut = low_pass(calculated, density.grid, resolution)
    radii = van_der_waals_radii(model.topology)
    mask = model_mask(model.coords, radii, density.grid)
    assert correlation(cut, density.density, mask).item() == pytest.approx(in_mask, abs=0.003)
    assert correlation(cut, density.density).item() == pytest.approx(in_box, abs=0.003)
    soft = soft_mask(model.coords, radii, density.grid)
    curve = fourier_shell_correlation(calculated, density.density, density.grid, soft)
    assert curve.resolution() == pytest.approx(half, abs=0.1)
