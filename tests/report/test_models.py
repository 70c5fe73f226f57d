from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.io import read
from motet.report.models import GRID, chosen, models


def multi_model(members, tmp_path):
    """Coordinates of all members, put together as the page's script does."""
    first = _read(members.model, tmp_path).coords.reshape(1, -1, 3)
    moves = torch.tensor(members.moves).reshape(len(members.conformations), -1, 3)
    return first + GRID * moves


def _read(model, tmp_path):
    path = tmp_path / model.name
    path.write_text(model.text, encoding="utf-8")
    return read(path)


def test_representatives_are_whole_and_carry_the_rmsf(analysis, tmp_path):
    shown = models(analysis)
    assert len(shown.medoids) == len(analysis.states)
    for model in shown.medoids:
        structure = _read(model, tmp_path)
        assert structure.n_atoms == analysis.ensemble.structure.n_atoms
        carbons = torch.from_numpy(structure.topology.atom_index("CA"))
        torch.testing.assert_close(
            structure.b_factors[carbons], analysis.observables.rmsf, atol=0.005, rtol=0, check_dtype=False
        )


def test_members_are_the_conformations_they_say(analysis, tmp_path):
    members = models(analysis).members
    shown = multi_model(members, tmp_path)
    topology = analysis.ensemble.structure.topology
    names = ("N", "CA", "C", "O")
    keep = [i for i, name in enumerate(topology.atom_names) if name in names]
    original = analysis.ensemble.coords[list(members.conformations)][:, keep]
    # Superposed, so distances within each model are what must agree.
    torch.testing.assert_close(torch.cdist(shown, shown), torch.cdist(original, original), atol=0.03, rtol=0)
    assert list(members.states) == [int(analysis.states.labels[i]) for i in members.conformations]


def test_members_lie_on_the_first_representative(analysis, tmp_path):
    members = models(analysis).members
    shown = multi_model(members, tmp_path)
    home = members.conformations.index(analysis.states.states[0].medoid)
    centres = shown.mean(1)
    torch.testing.assert_close(centres, centres[home].expand_as(centres), atol=0.5, rtol=0)


@pytest.mark.parametrize("most", [3, 10, 50, 119, 120, 500])
def test_the_choice_is_fair(analysis, most):
    picked = chosen(analysis, most)
    assert len(picked) <= max(most, len(analysis.states))
    assert list(picked) == sorted(set(picked))
    assert {state.medoid for state in analysis.states.states} <= set(picked)
    if most >= len(analysis.ensemble):
        assert len(picked) == len(analysis.ensemble)
    elif most >= 10:
        for state in analysis.states.states:
            share = sum(int(analysis.states.labels[i]) == state.label for i in picked) / len(picked)
            assert share == pytest.approx(state.population, abs=0.15)


def test_long_chain_names_go_as_mmcif(analysis, tmp_path):
    structure = analysis.ensemble.structure
    topology = replace(structure.topology, chain_ids=np.array(["long"]))
    ensemble = replace(analysis.ensemble, structure=replace(structure, topology=topology))
    shown = models(replace(analysis, ensemble=ensemble))
    assert shown.medoids[0].format == shown.members.model.format == "mmcif"
    assert _read(shown.members.model, tmp_path).n_models == len(shown.members.conformations)
