"""Restraints: what they cost is known by hand; where they are met it is nothing; they add to any energy."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from motet.ensemble import minimise, relax
from motet.forcefield import (
    DistanceRestraint,
    ForceField,
    PositionRestraint,
    RmsdRestraint,
    TorsionRestraint,
)
from motet.geometry import dihedral, rmsd
from motet.shapes import Energy, EnergySum

SPIN = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64)
ATOMS = 12


def points(*batch: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3.0 * torch.randn(*batch, ATOMS, 3, generator=generator, dtype=torch.float64)


PAIRS = torch.tensor([[0, 5], [3, 7], [2, 9]])
CORNERS = torch.tensor([[0, 1, 2, 3], [4, 6, 8, 10]])
SOME = torch.arange(ATOMS) % 3 > 0
KINDS: dict[str, Energy] = {
    "position": PositionRestraint(points(seed=1), torch.linspace(0.5, 2.0, ATOMS), SOME),
    "position of each": PositionRestraint(points(4, seed=1), 3.0),
    "distance": DistanceRestraint(PAIRS, torch.tensor([3.0, 4.0, 5.0]), 2.0),
    "distance with slack": DistanceRestraint(PAIRS, 4.0, torch.tensor([1.0, 2.0, 3.0]), 1.5),
    "torsion": TorsionRestraint(CORNERS, torch.tensor([1.0, -2.0]), torch.tensor([3.0, 4.0])),
    "rmsd": RmsdRestraint(points(seed=1), 2.0, 5.0),
    "rmsd of some": RmsdRestraint(points(seed=1), 0.0, 5.0, SOME),
}
kinds = pytest.mark.parametrize("restraint", KINDS.values(), ids=KINDS)


@kinds
def test_forces_agree_with_finite_differences(restraint):
    assert gradcheck(restraint, points(4).requires_grad_(), atol=1e-6)


@kinds
def test_a_batch_equals_a_loop(restraint):
    coords = points(4)
    each = [restraint] * 4
    if isinstance(restraint, PositionRestraint) and restraint.reference.ndim == 3:
        each = [PositionRestraint(one, restraint.stiffness) for one in restraint.reference]
    alone = torch.stack([energy(one) for energy, one in zip(each, coords, strict=True)])
    torch.testing.assert_close(restraint(coords), alone)


@kinds
def test_atoms_in_one_place_or_on_one_line_are_finite(restraint):
    heap = torch.zeros(4, ATOMS, 3, dtype=torch.float64)
    line = heap.clone()
    line[..., 0] = torch.arange(ATOMS)
    for coords in (heap, line):
        coords = coords.requires_grad_()
        energy = restraint(coords)
        assert energy.isfinite().all()
        assert torch.autograd.grad(energy.sum(), coords)[0].isfinite().all()


@kinds
def test_energies_add_up(restraint):
    coords = points(4)
    together = 0.5 * restraint + PositionRestraint(points(seed=2))
    assert isinstance(together, EnergySum)
    torch.testing.assert_close(
        together(coords), 0.5 * restraint(coords) + PositionRestraint(points(seed=2))(coords)
    )


@pytest.mark.parametrize("name", ["distance", "distance with slack", "torsion", "rmsd", "rmsd of some"])
def test_all_but_positions_ignore_rigid_motion(name):
    coords = points(4)
    torch.testing.assert_close(KINDS[name](coords @ torch.linalg.matrix_exp(SPIN) + 7), KINDS[name](coords))


def test_a_distance_costs_half_k_times_the_square_beyond_its_slack():
    coords = torch.tensor([[0.0, 0, 0], [5.0, 0, 0]], dtype=torch.float64)
    pair = torch.tensor([[0, 1]])
    assert DistanceRestraint(pair, 2.0, 4.0)(coords).item() == pytest.approx(18.0)
    assert DistanceRestraint(pair, 2.0, 4.0, 1.0)(coords).item() == pytest.approx(8.0)
    assert DistanceRestraint(pair, 8.0, 4.0, 1.0)(coords).item() == pytest.approx(8.0)
    assert DistanceRestraint(pair, 4.5, 4.0, 1.0)(coords).item() == 0


def test_a_torsion_is_harmonic_near_its_target_and_periodic():
    coords = points()
    angle = dihedral(*coords[CORNERS[0]])
    for turn in (0.0, 2 * math.pi, -2 * math.pi):
        near = TorsionRestraint(CORNERS[:1], (angle + 0.01 + turn).reshape(1), 6.0)
        assert near(coords).item() == pytest.approx(0.5 * 6.0 * 0.01**2, rel=1e-4)
    assert TorsionRestraint(CORNERS[:1], (angle + math.pi).reshape(1), 6.0)(coords).item() == pytest.approx(12.0)


def test_minimising_against_each_meets_its_target():
    start = points(4)
    distances = DistanceRestraint(PAIRS, torch.tensor([3.0, 4.0, 5.0], dtype=torch.float64), 2.0)
    torsions = TorsionRestraint(CORNERS, torch.tensor([1.0, -2.0], dtype=torch.float64), 5.0)
    found = minimise(distances + torsions, start, tolerance=1e-6).coords
    i, j = PAIRS.unbind(-1)
    apart = (found[:, i] - found[:, j]).norm(dim=-1)
    torch.testing.assert_close(apart, distances.target.expand_as(apart), atol=1e-4, rtol=0)
    angles = dihedral(*found[:, CORNERS].unbind(-2))
    torch.testing.assert_close(angles, torsions.target.expand_as(angles), atol=1e-4, rtol=0)
    reference = points(seed=1)
    led = minimise(RmsdRestraint(reference, 1.5, 5.0), start, tolerance=1e-6).coords
    torch.testing.assert_close(rmsd(led, reference), led.new_full((4,), 1.5), atol=1e-4, rtol=0)


@pytest.mark.slow
def test_relaxing_with_springs_moves_less_and_still_lowers_the_energy(loop):
    system = ForceField().bind(loop)
    generator = torch.Generator().manual_seed(0)
    start = loop.coords + 0.1 * torch.randn(2, loop.n_atoms, 3, generator=generator, dtype=torch.float64)
    free, held = relax(system, start, 20), relax(system, start, 20, stiffness=2000.0)
    assert (rmsd(held, start, fit=False) < 0.7 * rmsd(free, start, fit=False)).all()
    assert (system(held) < system(start) - 1000).all()
