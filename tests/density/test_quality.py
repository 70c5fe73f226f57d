"""Q-scores and the quality of maps: laws on made maps, and the figures of deposited ones."""

import math

import pytest
import torch

from motet import io
from motet.density import DensityMap, Grid
from motet.density.q_score import SHELLS, SIGMA, q_scores, spiral
from motet.density.quality import map_quality, says_nothing
from motet.errors import ConfigError

GRID = Grid((41, 41, 41), torch.eye(3) * 0.3, torch.tensor([-6.0, -6.0, -6.0]))
SCORED = torch.ones(1, dtype=torch.bool)
MIDDLE = torch.zeros(1, 3)


def gaussian(width, centre=MIDDLE):
    away = (GRID.centres().float()[..., None, :] - centre).square().sum(-1)
    return DensityMap(torch.exp(-0.5 * away / width**2).sum(-1), GRID)


def reference(density, point, others=()):
    """Q by the words of the paper, one sample after another."""
    values = density.density.double()
    mean, deviation = values.mean().item(), values.std(correction=0).item()
    low, high = max(mean - deviation, values.min().item()), min(mean + 10 * deviation, values.max().item())
    found, wanted = [density.at(point.double()).item()] * 8, [high] * 8
    for radius in SHELLS:
        for attempt in range(50):
            places = point.double() + radius * spiral(8 + 2 * attempt, point.double())
            own = [p for p in places if all((p - other.double()).norm() >= 0.9 * radius for other in others)]
            if len(own) >= 8:
                found += density.at(torch.stack(own)).tolist()
                wanted += [(high - low) * math.exp(-0.5 * (radius / SIGMA) ** 2) + low] * len(own)
                break
    return torch.corrcoef(torch.tensor([found, wanted], dtype=torch.float64))[0, 1].item()


def test_an_atom_as_sharp_as_the_reference_scores_one():
    assert q_scores(gaussian(SIGMA), MIDDLE, SCORED).values.item() == pytest.approx(1.0, abs=0.01)
    blurred, worse = (q_scores(gaussian(width), MIDDLE, SCORED).values.item() for width in (1.0, 1.6))
    assert worse < blurred < 0.99


def test_scores_are_those_of_the_words_of_the_paper():
    points = torch.tensor([[0.0, 0, 0], [1.3, 0.2, 0.1], [2.1, 1.3, -0.4], [-0.9, 1.0, 0.3], [0.2, -1.4, 0.5]])
    density = gaussian(0.7, points)
    ours = q_scores(density, points, torch.ones(5, dtype=torch.bool)).values.tolist()
    theirs = [reference(density, p, [o for o in points if not torch.equal(o, p)]) for p in points]
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_neither_scale_nor_place_of_the_map_matters():
    points = torch.tensor([[0.3, 0.1, 0.2], [1.6, 0.4, -0.3]])
    density, both = gaussian(0.8, points), torch.ones(2, dtype=torch.bool)
    q = q_scores(density, points, both).values
    scaled = DensityMap(7 * density.density + 3, GRID)
    torch.testing.assert_close(q_scores(scaled, points, both).values[:1], q[:1], atol=1e-4, rtol=0)
    moved = DensityMap(density.density, Grid(GRID.shape, GRID.axes, GRID.origin + 100.0))
    torch.testing.assert_close(q_scores(moved, points + 100, both).values, q, atol=1e-4, rtol=0)


def test_hydrogens_have_no_score_and_take_no_room():
    points = torch.tensor([[0.0, 0, 0], [0.8, 0.3, 0.0]])
    found = q_scores(gaussian(0.7), points, torch.tensor([True, False]))
    assert found.exists.tolist() == [True, False]
    assert found.values[0] == q_scores(gaussian(0.7), points[:1], SCORED).values[0]


def test_a_batch_is_its_members_and_an_empty_place_has_no_score():
    points = torch.tensor([[[0.0, 0, 0], [1.4, 0, 0]], [[0.2, 0, 0], [200.0, 0, 0]]])
    both = torch.ones(2, dtype=torch.bool)
    density = gaussian(0.7)
    together = q_scores(density, points, both)
    assert together.exists.tolist() == [[True, True], [True, False]]
    for index in range(2):
        torch.testing.assert_close(together.values[index], q_scores(density, points[index], both).values)
    assert together.mean[1] == together.values[1, 0]


def test_atoms_on_one_spot_and_flat_maps_give_numbers():
    heap = torch.zeros(3, 3)
    assert q_scores(gaussian(0.7), heap, torch.ones(3, dtype=torch.bool)).values.isfinite().all()
    flat = q_scores(DensityMap(torch.ones(41, 41, 41), GRID), MIDDLE, SCORED)
    assert not flat.exists.any()
    assert flat.mean == 0


CASES = {
    "emd2566_mito_bL9": ("2566_3J6B_9.mrc", "3J6B_9.pdb", 3.2, 0.7344, 0.6243, 3.50, 0.562),
    "emd20026_apoferritin": ("emd20026_prot.mrc", "3ajo_fitted_refined.pdb", 1.75, 0.8185, 0.6821, 1.97, 0.878),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_deposited_models_are_as_good_as_an_independent_prototype_says(case, shared):
    map_file, model_file, resolution, in_mask, in_box, half, q = CASES[case]
    folder = shared / "density" / case
    found = map_quality(io.read(folder / model_file), DensityMap.read(folder / map_file), resolution)
    assert found.cc_mask == pytest.approx(in_mask, abs=0.003)
    assert found.cc_box == pytest.approx(in_box, abs=0.003)
    assert found.resolution == pytest.approx(half, abs=0.1)
    assert found.q.mean.item() == pytest.approx(q, abs=0.001)
    assert found.overall_b is None


@pytest.mark.slow
def test_a_model_beyond_its_map_is_scored_where_there_is_density(shared):
    folder = shared / "density" / "emd6272_vp6_af2"
    model, density = io.read(folder / "af2_rigid_docked.pdb"), DensityMap.read(folder / "3j9sA_3j9sA.mrc")
    q = q_scores(density, model.model(0).coords, torch.ones(model.n_atoms, dtype=torch.bool))
    assert q.mean.item() == pytest.approx(0.23, abs=0.005)
    assert 0.7 < q.exists.float().mean() < 0.9


def test_placeholders_for_b_factors_are_known(examples):
    structure = io.read(examples / "1l2y.pdb")
    assert says_nothing(structure)


def test_a_resolution_of_nothing_and_a_model_elsewhere_are_refused(examples):
    structure = io.read(examples / "1l2y.pdb")
    with pytest.raises(ConfigError, match="resolution"):
        map_quality(structure, gaussian(1.0), 0.0)
    with pytest.raises(ConfigError, match="dock"):
        map_quality(structure.with_coords(structure.coords + 500), gaussian(1.0), 3.0)
