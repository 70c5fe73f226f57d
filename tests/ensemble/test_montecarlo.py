"""Torsion Monte Carlo: the chain stays whole, a resumed run is the same run, the temperatures exchange rightly."""

import pytest
import torch

from motet.ensemble import Plan, inspect_geometry, prepared, produce
from motet.ensemble.dice import Dice
from motet.ensemble.landscape import Landscape
from motet.ensemble.montecarlo import MonteCarlo
from motet.ensemble.moves import RotamerJump, Walkers
from motet.ensemble.tempering import exchange, ladder
from motet.errors import ConfigError
from motet.forcefield import ForceField
from motet.geometry import backbone_torsions
from motet.io import read
from motet.units import BOLTZMANN

from .peptides import Toward, peptide

QUICK = {"replicas": 2, "burn_in": 2, "interval": 1}


@pytest.fixture(scope="module")
def trp_cage(examples):
    structure = prepared(read(examples / "1l2y.pdb"))
    return structure, ForceField().bind(structure)


@pytest.fixture(scope="module")
def strung():
    """A peptide whose ends a spring holds: an energy that costs nothing."""
    structure = peptide("AKGSLGAFA")
    carbons = structure.topology.atom_index("CA")
    return structure, Toward(structure.n_atoms, (int(carbons[0]), int(carbons[-1])), 12.0, 0.5)


@pytest.fixture(scope="module")
def ensemble(trp_cage):
    structure, system = trp_cage
    generator = MonteCarlo(topology=structure.topology, **QUICK, rungs=2)
    return produce(structure, system, generator, Plan(count=6, minimise_steps=100, relax_steps=0))


def test_bonds_keep_their_ideal_length(ensemble):
    found = inspect_geometry(ensemble.structure)
    assert found.worst_bond.max() < 0.01
    assert found.closest_pair.min() > 2.0


def test_no_peptide_bond_breaks_or_flips(ensemble):
    _, _, omega, exists = backbone_torsions(ensemble.structure.topology, ensemble.coords)
    assert (omega[:, exists[:, 2]].cos() < -0.8).all()


def test_conformations_differ(ensemble):
    rounds = ensemble.coords.unflatten(0, (3, 2))
    assert (rounds[1:] - rounds[:-1]).norm(dim=-1).amax() > 0.3


def test_acceptance_of_every_move_is_on_record(ensemble):
    report = ensemble.provenance.report
    moves = {"twist", "loop", "hinge", "pivot", "rotamer", "chi", "exchange"}
    assert report.keys() <= {f"acceptance_{move}" for move in moves}
    assert {"acceptance_twist", "acceptance_loop", "acceptance_exchange"} <= report.keys()
    assert all(0 <= rate <= 1 for rate in report.values())


def test_a_resumed_run_equals_one_that_was_not_stopped(strung):
    structure, system = strung
    generator = MonteCarlo(topology=structure.topology, **QUICK)
    state = generator.start(system, structure.coords, 3)
    expected = []
    for _ in range(4):
        state, coords = generator.draw(system, state)
        expected.append((generator.pack(state), coords))
    state = generator.unpack(expected[1][0])
    for packed, coords in expected[2:]:
        state, found = generator.draw(system, state)
        assert torch.equal(found, coords)
        assert torch.equal(state.q, packed["q"])
    assert generator.step(state) == 6


def test_sizes_are_frozen_after_burn_in(strung):
    structure, system = strung
    generator = MonteCarlo(topology=structure.topology, **QUICK)
    first, _ = generator.draw(system, generator.start(system, structure.coords, 0))
    second, _ = generator.draw(system, first)
    assert torch.equal(first.sizes, second.sizes)
    assert (second.tries >= first.tries).all()


def test_replica_i_draws_from_seed_plus_i(strung):
    structure, system = strung
    settings = {"topology": structure.topology, "burn_in": 0, "interval": 1}
    two = MonteCarlo(replicas=2, **settings)
    one = MonteCarlo(replicas=1, **settings)
    _, from_four = two.draw(system, two.start(system, structure.coords, 4))
    _, from_five = one.draw(system, one.start(system, structure.coords, 5))
    torch.testing.assert_close(
        from_four[1],
        from_five[0],
    )
    assert not torch.equal(from_four[0], from_four[1])


def test_what_may_not_move_stands_still(strung):
    structure, system = strung
    held = Toward(structure.n_atoms, system.pair, 12.0, 0.5)
    held.mobile = torch.arange(structure.n_atoms) < structure.n_atoms - 6
    generator = MonteCarlo(topology=structure.topology, replicas=2, burn_in=0, interval=2)
    state = generator.start(held, structure.coords, 0)
    _, coords = generator.draw(held, state)
    torch.testing.assert_close(coords[:, -6:], state.start[-6:].expand(2, 6, 3), atol=1e-4, rtol=0)
    assert (coords[0] - coords[1]).abs().amax() > 0.01


def test_rotamers_are_tried_less_often_where_there_is_no_room(trp_cage):
    structure, system = trp_cage
    landscape = Landscape.of(structure.topology, system, structure.coords, structure.coords.dtype)
    jumps = RotamerJump.of(landscape)
    assert jumps is not None
    residue = structure.topology.residue_of_atom[landscape.articulation.torsions[jumps.slots[:, 0]]]
    often = dict(zip(structure.topology.residue_names[residue].tolist(), jumps.weights.tolist(), strict=True))
    assert 0 < often["TRP"] < 0.7 * often["LYS"]  # the core of the cage, and its outside


def test_exchanges_keep_both_temperatures():
    """A square well of energies x²/2: each rung keeps its own variance, kT."""
    thermal = BOLTZMANN * torch.tensor(ladder(300.0, 600.0, 2), dtype=torch.float64)
    count, random = 20_000, torch.Generator().manual_seed(0)
    spread = thermal.sqrt().repeat(count)
    x = torch.randn(2 * count, 1, generator=random, dtype=torch.float64) * spread[:, None]
    walkers = Walkers(x, 0.5 * x.squeeze(-1).square(), thermal.repeat(count))
    dice = Dice.seeded(range(2 * count), x.device)
    walkers, chance = exchange(walkers, 2, False, dice)
    cold, hot = walkers.q[::2].squeeze(-1), walkers.q[1::2].squeeze(-1)
    swapped = (cold != x[::2, 0]).double().mean()
    assert swapped == pytest.approx(float(chance.mean()), abs=0.01)
    assert swapped > 0.5
    # The variance of 20,000 normal numbers is known to one per cent.
    assert cold.var() == pytest.approx(float(thermal[0]), rel=0.04)
    assert hot.var() == pytest.approx(float(thermal[1]), rel=0.04)
    torch.testing.assert_close(walkers.energy, 0.5 * walkers.q.squeeze(-1).square())


def test_odd_exchanges_leave_the_ends_alone():
    q = torch.arange(8.0, dtype=torch.float64)[:, None]
    walkers = Walkers(q, torch.zeros(8, dtype=torch.float64), torch.ones(8, dtype=torch.float64))
    dice = Dice.seeded(range(8), q.device)
    assert exchange(walkers, 4, True, dice)[0].q.squeeze(-1).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert exchange(walkers, 4, False, dice)[0].q.squeeze(-1).tolist() == [1, 0, 3, 2, 5, 4, 7, 6]


@pytest.mark.parametrize(
    "setting", [{"temperature": 0.0}, {"replicas": 0}, {"interval": 0}, {"rungs": 2, "hottest": 200.0}]
)
def test_settings_out_of_range_are_refused(trp_cage, setting):
    with pytest.raises(ConfigError):
        MonteCarlo(topology=trp_cage[0].topology, **setting)
