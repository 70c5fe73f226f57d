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
    assert [vars(a) | {"members": 0} for a in one.states] == [vars(b) | {"members": 0} for b in two.states]
