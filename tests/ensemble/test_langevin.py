"""Langevin dynamics draws from Boltzmann's law, and forgets nothing between two rounds."""

import pytest
import torch

from motet.ensemble import Langevin
from motet.errors import ConfigError
from motet.units import ACCELERATION, BOLTZMANN

SETTINGS = {"temperature": 300.0, "timestep": 4.0, "friction": 20.0}


def drawn(generator, system, start, rounds, seed=0):
    state, kept = generator.start(system, start, seed), []
    for _ in range(rounds):
        state, coords = generator.draw(system, state)
        kept.append(coords)
    return state, torch.stack(kept)


def test_positions_and_velocities_follow_boltzmann(beads, springs):
    generator = Langevin(replicas=64, burn_in=200, interval=25, **SETTINGS)
    state, kept = drawn(generator, springs, beads.coords, 40)
    thermal = BOLTZMANN * 300.0
    # 64 x 40 x 36 draws, correlated over a few rounds: the variance is known to about one per cent.
    assert (kept - springs.places).var() == pytest.approx(thermal / springs.stiffness, rel=0.03)
    assert state.velocities.var() == pytest.approx(thermal * ACCELERATION / 14.0, rel=0.06)
    assert abs(float((kept - springs.places).mean())) < 0.005


def test_a_long_time_step_still_samples_positions(beads, springs):
    """What BAOAB is chosen for: half the stability limit, and the variance is right to a few per cent."""
    limit = 2 / (springs.stiffness * ACCELERATION / 14.0) ** 0.5
    generator = Langevin(
        replicas=64, burn_in=100, interval=10, temperature=300.0, timestep=limit / 2, friction=5.0
    )
    _, kept = drawn(generator, springs, beads.coords, 40)
    assert (kept - springs.places).var() == pytest.approx(BOLTZMANN * 300 / springs.stiffness, rel=0.04)


def test_obstacles_stand_still(beads, springs_with_obstacles):
    generator = Langevin(replicas=2, burn_in=0, interval=10)
    _, kept = drawn(generator, springs_with_obstacles, beads.coords, 2)
    assert torch.equal(kept[..., -3:, :], beads.coords[-3:].expand(2, 2, 3, 3))
    assert not torch.equal(kept[..., 0, :], beads.coords[0].expand(2, 2, 3))


def test_a_resumed_run_equals_one_that_was_not_stopped(beads, springs):
    generator = Langevin(replicas=3, burn_in=5, interval=7)
    _, whole = drawn(generator, springs, beads.coords, 4)
    state, _ = drawn(generator, springs, beads.coords, 2)
    state = generator.unpack(generator.pack(state))
    for expected in whole[2:]:
        state, coords = generator.draw(springs, state)
        assert torch.equal(coords, expected)


def test_replica_i_draws_from_seed_plus_i(beads, springs):
    _, from_four = drawn(Langevin(replicas=2, interval=5), springs, beads.coords, 1, seed=4)
    _, from_five = drawn(Langevin(replicas=1, interval=5), springs, beads.coords, 1, seed=5)
    assert torch.equal(from_four[:, 1], from_five[:, 0])
    assert not torch.equal(from_four[:, 0], from_four[:, 1])


def test_a_time_step_that_explodes_is_an_error_that_says_so(beads, springs):
    with pytest.raises(ConfigError, match="shorter time step"):
        drawn(Langevin(replicas=1, timestep=1000.0, interval=2000), springs, beads.coords, 1)


@pytest.mark.parametrize("setting", [{"temperature": 0.0}, {"replicas": 0}, {"interval": 0}, {"friction": -1.0}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ConfigError):
        Langevin(**setting)
