"""Density of atoms: the sum of Gaussians itself, gemmi's, and its gradient."""

import gemmi
import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from motet import io
from motet.density import DensityMap, Grid, render, scatterers_of
from motet.errors import ConfigError


def plain(coords, scatterers, b_factors, occupancies, grid):
    """The formula, voxel by voxel."""
    apart = (grid.centres()[..., None, :] - coords).square().sum(-1)[..., None]
    width = scatterers.widths.double() + b_factors[:, None]
    peak = occupancies[:, None] * scatterers.amplitudes.double() * (4 * torch.pi / width) ** 1.5
    return (peak * torch.exp(-4 * torch.pi**2 * apart / width)).sum((-1, -2))


@pytest.fixture
def few(trp_cage, electrons):
    b_factors = torch.linspace(5, 60, 12).double()
    occupancies = torch.linspace(0.3, 1, 12).double()
    return trp_cage.coords[:12], electrons.subset(torch.arange(12)), b_factors, occupancies


def test_rendering_is_the_formula(few, grid):
    close = render(*few, grid, tail=1e-9)
    exact = plain(*few, grid)
    torch.testing.assert_close(close, exact, atol=1e-7 * float(exact.max()), rtol=1e-4)
    rough = render(*few, grid)
    assert (rough - exact).abs().max() < 1e-3 * exact.max()


def test_gradients_agree_with_finite_differences(few, grid):
    coords, scatterers, b_factors, occupancies = few
    three = scatterers.subset(torch.arange(3))
    small = Grid((7, 7, 7), grid.axes * 1.2, coords[:3].mean(0) - grid.axes.sum(0) * 3.5)
    inputs = [one[:3].clone().requires_grad_() for one in (coords, b_factors, occupancies)]
    probe = torch.randn(small.shape, generator=torch.Generator().manual_seed(1)).double()

    def energy(coords, b_factors, occupancies):
        return (render(coords, three, b_factors, occupancies, small) * probe).sum()

    assert gradcheck(energy, inputs, eps=1e-5, atol=1e-6)


def test_a_batch_equals_a_loop(few, grid):
    coords, *rest = few
    batch = torch.stack((coords, coords + 0.7, coords.flip(0))).reshape(3, 1, 12, 3)
    together = render(batch, *rest, grid)
    apart = torch.stack([render(one, *rest, grid) for one in batch[:, 0]])
    torch.testing.assert_close(together[:, 0], apart)


def test_atoms_outside_add_what_reaches_in(few, grid):
    coords, *rest = few
    whole = render(coords, *rest, grid)
    half = Grid((grid.shape[0] // 2, *grid.shape[1:]), grid.axes, grid.origin)
    torch.testing.assert_close(render(coords, *rest, half), whole[: half.shape[0]])
    assert not render(coords + 1000, *rest, grid).any()
    assert not render(coords[:0], rest[0].subset(torch.arange(0)), rest[1][:0], rest[2][:0], grid).any()


def test_coincident_atoms_are_finite(few, grid):
    coords, *rest = few
    at = torch.zeros_like(coords).add(coords[0]).requires_grad_()
    render(at, *rest, grid).square().sum().backward()
    assert at.grad.isfinite().all()


def test_an_atom_without_width_is_refused(few, grid):
    coords, scatterers, b_factors, occupancies = few
    with pytest.raises(ConfigError, match="no width"):
        render(coords, scatterers, b_factors - 100, occupancies, grid)


def test_bl9_agrees_with_gemmi(shared):
    """gemmi.DensityCalculatorE 0.7, cutoff 1e-7: the same sum of Gaussians, by another program."""
    folder = shared / "density" / "emd2566_mito_bL9"
    grid = DensityMap.read(folder / "2566_3J6B_9.mrc").grid
    model = io.read(folder / "3J6B_9.pdb").select("heavy").model(0)
    ours = render(
        model.coords, scatterers_of(model.topology), model.b_factors, torch.ones_like(model.b_factors), grid
    ).numpy()
    chain, residue = gemmi.Chain("A"), gemmi.Residue()
    for place, symbol, b in zip(
        (model.coords - grid.origin).tolist(),
        model.topology.elements.tolist(),
        model.b_factors.tolist(),
        strict=True,
    ):
        atom = gemmi.Atom()
        atom.element, atom.pos, atom.b_iso, atom.occ = gemmi.Element(symbol), gemmi.Position(*place), b, 1.0
        residue.add_atom(atom)
    chain.add_residue(residue)
    theirs = gemmi.Model(1) if gemmi.__version__ >= "0.7" else gemmi.Model("1")
    theirs.add_chain(chain)
    calculator = gemmi.DensityCalculatorE()
    calculator.d_min, calculator.cutoff = 1.0, 1e-7
    calculator.grid.set_size(*grid.shape)
    lengths = (grid.voxel * torch.tensor(grid.shape)).tolist()
    calculator.grid.set_unit_cell(gemmi.UnitCell(*lengths, 90, 90, 90))
    calculator.grid.spacegroup = gemmi.SpaceGroup("P 1")
    calculator.add_model_density_to_grid(theirs)
    expected = np.array(calculator.grid.array)
    assert np.corrcoef(ours.ravel(), expected.ravel())[0, 1] > 0.999999
    assert np.abs(ours - expected).max() < 1e-4 * expected.max()
