import json
from pathlib import Path

import numpy as np
import pytest
import torch

from motet.geometry import lddt, residue_lddt

REFERENCE = json.loads((Path(__file__).parents[1] / "references" / "similarity_biotite.json").read_text())


@pytest.fixture
def shaken(trp_cage):
    """The model that the reference numbers are of, the structure, and the residue of each atom."""
    heavy = trp_cage.select("heavy")
    assert heavy.n_atoms == REFERENCE["atoms"]
    target = heavy.coords.reshape(-1, 3)
    atom, axis = torch.arange(len(target), dtype=torch.float64)[:, None], torch.arange(3, dtype=torch.float64)
    model = target + 0.8 * torch.sin(12.9898 * atom + 78.233 * axis)
    return model, target, torch.from_numpy(heavy.topology.residue_of_atom.copy()), heavy.topology


def test_the_numbers_are_biotites(shaken):
    model, target, residue, topology = shaken
    assert lddt(model, target, residue).item() == pytest.approx(REFERENCE["lddt"], abs=1e-4)
    assert residue_lddt(model, target, residue).tolist() == pytest.approx(REFERENCE["residue_lddt"], abs=1e-3)
    ca = torch.from_numpy(np.flatnonzero(topology.atom_names == "CA"))
    assert lddt(model[ca], target[ca]).item() == pytest.approx(REFERENCE["ca_lddt"], abs=1e-4)


def test_the_definition_written_out(draw):
    target = torch.rand(25, 3, generator=draw, dtype=torch.float64) * 25
    model = target + torch.randn(25, 3, generator=draw, dtype=torch.float64)
    residue = torch.arange(25) // 3
    kept, count = 0.0, 0
    for i in range(25):
        for j in range(25):
            before, after = (target[i] - target[j]).norm(), (model[i] - model[j]).norm()
            if residue[i] != residue[j] and before <= 15.0:
                count += 1
                kept += sum(abs(before - after) < limit for limit in (0.5, 1, 2, 4)) / 4
    assert lddt(model, target, residue).item() == pytest.approx(kept.item() / count)


def test_rigid_motion_and_mirrors_change_nothing(shaken, spin):
    model, target, residue, _ = shaken
    moved = model @ spin.T + 50
    torch.testing.assert_close(lddt(moved, target, residue), lddt(model, target, residue))
    assert lddt(target @ spin.T, target, residue) == 1


def test_a_batch_equals_a_loop(shaken, monkeypatch):
    model, target, residue, _ = shaken
    many = torch.stack((model, target, 2 * target)).reshape(3, 1, -1, 3)
    looped = torch.stack([lddt(one, target, residue) for one in many])
    torch.testing.assert_close(lddt(many, target, residue), looped)
    monkeypatch.setattr("motet.geometry.local_distances._PAIRS", 1)
    torch.testing.assert_close(
        residue_lddt(many, target, residue)[:, 0],
        torch.stack([residue_lddt(one[0], target, residue) for one in many]),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_atoms_without_neighbours_lose_nothing(dtype):
    target = torch.tensor([[0.0, 0, 0], [1, 0, 0], [100, 0, 0]], dtype=dtype)
    model = torch.zeros_like(target)
    assert residue_lddt(model, target).tolist() == [0.5, 0.5, 1.0]  # 1 Å off is within 2 and 4 Å, not within 1 Å
    assert lddt(model[:1], target[:1]) == 1
    assert lddt(model[None, :0], target[:0]).tolist() == [1.0]
