"""The physical layer of phase separation: laws of its parts, and what each must tell apart."""

import math

import pytest
import torch

from motet.condensate import PhysicalLayer, encode
from motet.condensate.binodal import critical_interaction, log_dilute_fraction
from motet.condensate.coarse import CoarseEnergy, debye_length, water_dielectric
from motet.condensate.fragments import fragment, poses
from motet.condensate.patterning import charge_decoration, sticky_decoration, sums_by_separation
from motet.condensate.saturation import Saturation
from motet.condensate.sequences import LETTERS
from motet.forcefield import Conditions


def composition(sequence: str) -> torch.Tensor:
    return encode([sequence]).one_hot().mean(1)


def test_both_phases_of_the_binodal_share_slope_and_pressure():
    n = torch.tensor([10.0, 100.0, 137.0, 500.0], dtype=torch.float64)
    chi = critical_interaction(n) + torch.tensor([0.3, 0.05, 0.2, 0.1], dtype=torch.float64)
    dilute = log_dilute_fraction(n, chi).exp()

    def slope(x: torch.Tensor) -> torch.Tensor:
        return (x.log() + 1) / n - torch.log1p(-x) - 1 + chi * (1 - 2 * x)

    def pressure(x: torch.Tensor) -> torch.Tensor:
        return -(torch.log1p(-x) + x * (1 - 1 / n) + chi * x.square())

    low, high = 1 / (1 + n.sqrt()), torch.ones_like(n) - 1e-12  # the dense phase lies above the critical point
    for _ in range(200):  # the dense phase of this pressure, found by another route than the solver's
        middle = 0.5 * (low + high)
        less = pressure(middle) < pressure(dilute)
        low, high = torch.where(less, middle, low), torch.where(less, high, middle)
    torch.testing.assert_close(slope(low), slope(dilute), rtol=0, atol=1e-6)


def test_gradients_of_the_binodal_are_those_of_the_implicit_function():
    n = torch.tensor([20.0, 137.0], dtype=torch.float64, requires_grad=True)
    chi = (critical_interaction(n.detach()) + 0.15).requires_grad_()
    assert torch.autograd.gradcheck(log_dilute_fraction, (n, chi), eps=1e-6, atol=1e-4, rtol=1e-4)


def test_saturation_falls_with_stickiness_and_with_length():
    model, virial = Saturation(), CoarseEnergy().virial(Conditions())
    size = torch.tensor([140.0])
    tyrosine, serine = (model(virial, composition(s), size) for s in ("GYGSGYGSNG" * 14, "GSGSGSGSNG" * 14))
    assert tyrosine < serine
    assert model(virial, composition("GYGSGYGSNG"), 2 * size) < model(virial, composition("GYGSGYGSNG"), size)


def test_saturation_is_finite_with_a_finite_gradient_for_any_composition_and_size():
    model, coarse = Saturation(), CoarseEnergy()
    shares = torch.cat((torch.eye(20), torch.full((1, 20), 0.05)))
    for size in (0.0, 1.0, 30.0, 5000.0):
        model.zero_grad()
        value = model(coarse.virial(Conditions()), shares, torch.full((21,), size))
        assert value.isfinite().all()
        value.sum().backward()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in model.parameters())


def test_salt_weakens_the_repulsion_of_like_charges():
    coarse = CoarseEnergy()
    lysine = LETTERS.index("K")
    thin, salty = (coarse.virial(Conditions(ionic_strength=salt)).charge[lysine, lysine] for salt in (0.05, 0.5))
    assert thin > salty > 0


def test_acid_neutralises_aspartate_and_charges_histidine():
    coarse = CoarseEnergy()
    acid, neutral = coarse.charges(Conditions(ph=2.0)), coarse.charges(Conditions(ph=7.4))
    aspartate, histidine = LETTERS.index("D"), LETTERS.index("H")
    assert abs(acid[aspartate]) < 0.05 < 0.9 < abs(neutral[aspartate])
    assert neutral[histidine] < 0.2 < 0.9 < acid[histidine]


def test_water_and_salt_at_room_temperature():
    assert water_dielectric(298.15) == pytest.approx(78.4, abs=0.3)
    assert debye_length(Conditions(temperature=298.15, ionic_strength=0.15)) == pytest.approx(7.85, abs=0.1)


def test_sums_by_separation_equal_the_double_loop():
    values = torch.randn(3, 17, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    slow = torch.stack([(values[:, : 17 - s] * values[:, s:]).sum(-1) for s in range(17)], -1)
    torch.testing.assert_close(sums_by_separation(values), slow)


def test_blocks_of_charge_lower_the_charge_decoration():
    blocky = torch.tensor([1.0] * 20 + [-1.0] * 20)
    mixed = torch.tensor([1.0, -1.0] * 20)
    size = torch.tensor(40.0)
    assert charge_decoration(blocky, size) < charge_decoration(mixed, size) < 0


def test_sticky_decoration_equals_the_double_loop():
    sticky = torch.tensor([0.3, 0.8, 0.5, 0.9], dtype=torch.float64)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    slow = sum((sticky[i] + sticky[j]) / (j - i) for i, j in pairs) / 4
    torch.testing.assert_close(sticky_decoration(sticky, torch.tensor(4.0, dtype=torch.float64)), slow)


def test_a_fragment_stands_between_caps_that_carry_no_charge():
    one = fragment("K", 4, torch.Generator().manual_seed(0))
    names = set(one.topology.atom_names[one.topology.residue_of_atom != 1].tolist())
    assert names == {"CA", "C", "O", "N"}
    assert {"N", "CA", "C", "O", "CB", "NZ"} <= set(one.topology.atom_names[one.topology.residue_of_atom == 1])
    assert one.coords.shape[0] == 4
    assert one.coords.isfinite().all()


@pytest.mark.slow
def test_poses_touch_and_do_not_overlap():
    made = poses(count=4)
    for structure, first in zip(made.structures, made.first, strict=True):
        closest = torch.cdist(structure.coords[:, :first], structure.coords[:, first:]).flatten(1).amin(-1)
        assert (closest > 2.7).all()
        assert (closest < 5.6).all()


@pytest.mark.slow
def test_the_fragment_table_is_symmetric_and_moves_with_the_force_field():
    layer = PhysicalLayer(poses=2)
    table = layer.fragments(Conditions())
    torch.testing.assert_close(table, table.mT)
    table.sum().backward()
    weights = layer.fragments.force_field.weights.grad
    assert weights is not None
    assert weights.isfinite().all()
    assert (weights != 0).any()


@pytest.mark.slow
def test_charges_attract_their_opposites_in_the_fragment_table():
    layer = PhysicalLayer()
    with torch.no_grad():
        table = layer.fragments(Conditions(ionic_strength=0.05))
    electric = table[layer.fragments.names.index("electrostatics")]
    k, d = LETTERS.index("K"), LETTERS.index("D")
    assert electric[k, d] < min(float(electric[k, k]), float(electric[d, d]))
    assert math.isfinite(float(table.sum()))
