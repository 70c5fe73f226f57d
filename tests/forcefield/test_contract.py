"""What every energy term owes its users: a new term adds one line to TERMS and no test."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.func import functional_call

from motet.forcefield import TERMS, ForceField
from motet.structure import Structure

SPIN = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64)

pytestmark = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)


@pytest.fixture
def specimen(term, loop, aromatic, iron, open_disulfide) -> Structure:
    """Some atoms to which the term has something to say."""
    return {"pi": aromatic, "metal": iron, "disulfide": open_disulfide}.get(term.name, loop)


def field(term) -> ForceField:
    return ForceField([term()]).double()


def shaken(structure: Structure, seeds: int = 3, by: float = 0.15) -> torch.Tensor:
    noise = torch.randn(
        seeds, *structure.coords.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    return structure.coords + by * noise


def test_there_is_something_to_test(term, specimen):
    assert field(term).bind(specimen)(shaken(specimen)).abs().min() > 1e-3


def test_energy_ignores_rigid_motion(term, specimen):
    system, coords = field(term).bind(specimen), shaken(specimen)
    moved = coords @ torch.linalg.matrix_exp(SPIN) + 7
    torch.testing.assert_close(system(moved), system(coords))


def test_forces_agree_with_finite_differences(term, specimen):
    system = field(term).bind(specimen)
    assert gradcheck(system, shaken(specimen, 1)[0].requires_grad_(), atol=1e-4, rtol=1e-5, fast_mode=True)


def test_gradients_by_parameters_agree_with_finite_differences(term, specimen):
    module = Evaluation(field(term), specimen)
    coords = shaken(specimen)
    parameters = dict(module.named_parameters())
    assert parameters
    for name, value in parameters.items():

        def energy(trial, name=name):
            return functional_call(module, {name: trial}, (coords,))

        assert gradcheck(energy, value.detach().clone().requires_grad_(), fast_mode=True), name


class Evaluation(nn.Module):
    def __init__(self, force_field: ForceField, structure: Structure) -> None:
        super().__init__()
        self.force_field = force_field
        self.system = force_field.bind(structure)

    def forward(self, coords):
        return self.system(coords)


def test_a_batch_equals_a_loop(term, specimen):
    system, coords = field(term).bind(specimen), shaken(specimen, 4).reshape(2, 2, -1, 3)
    together = system(coords)
    assert together.shape == (2, 2)
    torch.testing.assert_close(together.flatten(), torch.stack([system(one) for one in coords.flatten(0, 1)]))


def test_proteins_laid_end_to_end_do_not_see_each_other(term, specimen, helix, trp_cage):
    force_field, proteins = field(term), [specimen, trp_cage, helix]
    coords = [shaken(one, 2) for one in proteins]
    together = force_field.bind(proteins)(torch.cat(coords, dim=-2))
    alone = [force_field.bind(one)(each) for one, each in zip(proteins, coords, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone, dim=-1))


def test_residues_add_up_to_the_total(term, specimen):
    system, coords = field(term).bind(specimen), shaken(specimen)
    table = system.table(coords)
    assert table.values.shape == (3, specimen.n_residues, 1)
    torch.testing.assert_close(table.values.sum((-2, -1)), system(coords))
    torch.testing.assert_close(system.terms(coords).sum(-1), system(coords))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_atoms_at_one_point_and_on_one_line_are_finite(term, dtype, specimen):
    system = field(term).to(dtype).bind(specimen)
    point = torch.full_like(specimen.coords, 100 / 3, dtype=dtype)
    line = point + torch.linspace(0, 5, specimen.n_atoms, dtype=dtype)[:, None] * torch.tensor(
        [1.0, 2.0, -1.0], dtype=dtype
    )
    axis = torch.zeros_like(point)
    axis[:, 0] = torch.arange(specimen.n_atoms)
    for coords in (point, line, axis, torch.stack((point, line, axis))):
        coords = coords.clone().requires_grad_()
        energy = system(coords)
        assert energy.isfinite().all()
        assert torch.autograd.grad(energy.sum(), coords)[0].isfinite().all()


def test_single_precision_agrees_with_double(term, specimen):
    coords = shaken(specimen)
    exact = field(term).bind(specimen)(coords)
    rough = field(term).float().bind(specimen)(coords.float())
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough.double(), exact, rtol=1e-4, atol=1e-3)


def test_the_neighbour_list_changes_nothing(term, trp_cage):
    system = field(term).bind(trp_cage)
    steps = torch.cumsum(0.12 * (shaken(trp_cage, 20, 1.0) - trp_cage.coords), dim=0) + trp_cage.coords
    for coords in steps:
        kept = system(coords)
        torch.testing.assert_close(kept, field(term).bind(trp_cage)(coords))


def test_it_is_smooth_where_pairs_come_within_reach(term, specimen):
    """Two pieces pulled apart through every cut-off: trapezoids of the slope add up to the energy."""
    system = field(term).bind(specimen.concatenated(specimen))
    away = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    step = 1e-4
    shifts = torch.arange(6.0, 45.0, 0.2, dtype=torch.float64)[:, None] + step * torch.arange(3)
    apart = (shifts.flatten()[:, None, None] * away).expand(-1, specimen.n_atoms, 3).clone().requires_grad_()
    energies, slopes = [], []
    for part in apart.split(60):
        part = part.detach().requires_grad_()
        energy = system(torch.cat((specimen.coords.expand(len(part), -1, -1), specimen.coords + part), dim=-2))
        slope = torch.autograd.grad(energy.sum(), part)[0] if energy.requires_grad else torch.zeros_like(part)
        energies.append(energy.detach())
        slopes.append((slope * away).sum((-2, -1)))
    energy, slope = torch.cat(energies).reshape(-1, 3), torch.cat(slopes).reshape(-1, 3)
    mean = 0.5 * (slope[:, 1:] + slope[:, :-1])
    assert (energy.diff(dim=1) - step * mean).abs().max() < 1e-6
    assert slope.diff(n=2, dim=1).abs().max() < 1e-3


def test_nothing_to_compute_costs_nothing(term, loop):
    """CA atoms alone have no bonds and no hydrogens; they are seen, and nothing breaks."""
    trace = loop.select("name CA and 8-9")
    system = field(term).bind(trace)
    far = (trace.coords + torch.arange(2)[:, None] * 100).requires_grad_()
    energy = system(far)
    assert energy == 0
    assert not torch.autograd.grad(energy, far)[0].any()
    nothing = loop.subset(~loop.topology.is_protein)
    assert field(term).bind(nothing)(nothing.coords) == 0


def test_forces_can_be_fitted(term, specimen):
    """Gradients by parameters of a sum over forces, against a step along a random direction."""
    force_field = field(term)
    system, coords = force_field.bind(specimen), shaken(specimen, 1)[0].requires_grad_()
    pull = torch.randn(coords.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def work() -> torch.Tensor:
        return (torch.autograd.grad(system(coords), coords, create_graph=True)[0] * pull).sum()

    parameters = list(force_field.parameters())
    found = torch.autograd.grad(work(), parameters, allow_unused=True)
    generator = torch.Generator().manual_seed(2)
    along = [torch.randn(one.shape, generator=generator, dtype=torch.float64) for one in parameters]
    slope = sum((g * d).sum().item() for g, d in zip(found, along, strict=True) if g is not None)
    ends = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            for one, direction in zip(parameters, along, strict=True):
                one += step * direction
        ends.append(work().item())
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-4)
