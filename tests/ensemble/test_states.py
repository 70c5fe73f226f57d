"""States: the wells that are there are found, with the populations they have."""

import pytest
import torch

from motet.ensemble import analyse
from motet.units import BOLTZMANN


def test_two_wells_are_two_states_with_their_populations(make_ensemble, two_wells):
    coords, bent = two_wells
    states = analyse(make_ensemble(coords)).states
    assert len(states) == 2
    assert torch.equal(states.labels == 1, bent)
    share = float(bent.double().mean())
    assert states.states[1].population == pytest.approx(share)
    expected = -BOLTZMANN * 300 * torch.tensor(share / (1 - share)).log()
    assert states.states[1].free_energy == pytest.approx(float(expected), abs=1e-5)
    # 200 independent draws: sqrt(p (1 - p) / 200) = 0.031
    assert states.states[1].population_error == pytest.approx(0.031, rel=0.4)


def test_weights_move_populations_and_free_energies(make_ensemble, two_wells):
    coords, bent = two_wells
    weights = torch.where(bent, 3.0, 1.0)
    states = analyse(make_ensemble(coords, weights / weights.sum())).states
    share = float((weights * bent).sum() / weights.sum())
    assert sorted(state.population for state in states.states) == pytest.approx(sorted((share, 1 - share)))


def test_one_well_is_one_state(make_ensemble, beads):
    random = torch.Generator().manual_seed(5)
    coords = beads.coords + 0.2 * torch.randn(100, 12, 3, generator=random, dtype=torch.float64)
    states = analyse(make_ensemble(coords)).states
    assert len(states) == 1
    assert states.states[0].population == pytest.approx(1.0)
    assert states.states[0].free_energy == 0
    assert states.silhouette is None


def test_a_medoid_is_a_member_of_its_state(make_ensemble, two_wells):
    states = analyse(make_ensemble(two_wells[0])).states
    for state in states.states:
        assert states.labels[state.medoid] == state.label
        assert state.medoid in state.members.tolist()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_conformations_has_states_too(make_ensemble, two_wells, count):
    analysis = analyse(make_ensemble(two_wells[0][:count]))
    assert sum(state.population for state in analysis.states.states) == pytest.approx(1.0)
    assert not analysis.quality.converged


def test_the_free_energy_map_has_its_zero_where_most_conformations_are(make_ensemble, two_wells):
    analysis = analyse(make_ensemble(two_wells[0]))
    surface = analysis.free_energy_map
    lowest = surface.values.nan_to_num(torch.inf).flatten().argmin()
    column = int(lowest) % surface.values.shape[1]
    centre = analysis.observables.principal.projections[analysis.states.labels == 0, :2].mean(0)
    assert surface.values.nan_to_num(torch.inf).min() == 0
    assert surface.x[column] == pytest.approx(float(centre[0]), abs=1.5)
    assert surface.values.isnan().any()


def test_the_same_seed_gives_the_same_states(make_ensemble, two_wells):
    one, two = (analyse(make_ensemble(two_wells[0]), seed=3).states for _ in range(2))
    assert torch.equal(one.labels, two.labels)
    apart = {"members": 0, "modes": 0}
    assert [vars(a) | apart for a in one.states] == [vars(b) | apart for b in two.states]
    for a, b in zip(one.states, two.states, strict=True):
        assert a.modes is not None
        assert b.modes is not None
        assert torch.equal(a.modes.directions, b.modes.directions)


def test_three_wells_are_three_states(make_ensemble, beads):
    random = torch.Generator().manual_seed(2)
    coords = beads.coords.expand(150, -1, -1) + 0.15 * torch.randn(
        150, 12, 3, generator=random, dtype=torch.float64
    )
    coords[50:90, 6:] += torch.tensor([4.0, 0.0, 0.0], dtype=torch.float64)
    coords[90:, :4] += torch.tensor([0.0, 5.0, 0.0], dtype=torch.float64)
    states = analyse(make_ensemble(coords)).states
    assert [len(state.members) for state in states.states] == [60, 50, 40]
    assert "found again" in states.reason


def test_the_soft_mode_of_a_state_is_the_way_it_sways(make_ensemble, beads):
    random = torch.Generator().manual_seed(3)
    sway = torch.randn(12, 3, generator=random, dtype=torch.float64)
    sway -= sway.mean(0)
    sway /= sway.norm()
    along = 2.0 * torch.randn(80, 1, 1, generator=random, dtype=torch.float64)
    coords = beads.coords + along * sway + 0.1 * torch.randn(80, 12, 3, generator=random, dtype=torch.float64)
    (state,) = analyse(make_ensemble(coords)).states.states
    assert state.modes is not None
    assert len(state.modes) == 1
    assert state.modes.explained[0] > 0.6
    # Superposition takes the share of the sway that is a turn of the whole.
    assert float((state.modes.directions[0] * sway).sum().abs()) > 0.8


def test_too_few_members_have_no_soft_modes(make_ensemble, two_wells):
    (state, *_) = analyse(make_ensemble(two_wells[0][:5])).states.states
    assert state.modes is None
