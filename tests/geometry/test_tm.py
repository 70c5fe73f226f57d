import json
from pathlib import Path

import numpy as np
import pytest
import torch

from motet.geometry import Rigid, backbone_from_torsions, rmsd, superposed, superposed_to_mean, tm_score
from motet.geometry.tm import tm_scale

REFERENCE = json.loads((Path(__file__).parents[1] / "references" / "similarity_biotite.json").read_text())


def chain(draw, *batch, residues=80):
    torsions = torch.randn(2, *batch, residues, generator=draw, dtype=torch.float64) * 0.2 - 1
    return backbone_from_torsions(*torsions)[..., 1, :]


def naive(mobile, target, draw, tries=300, rounds=40):
    """The score by climbing from random rotations and from the plain fit."""
    scale = tm_scale(len(mobile))
    turns = torch.linalg.qr(torch.randn(tries, 3, 3, generator=draw, dtype=torch.float64))[0]
    turns = turns * torch.linalg.det(turns)[:, None, None]
    moved = torch.cat(((mobile - mobile.mean(0)) @ turns + target.mean(0), superposed(mobile, target)[None]))
    for _ in range(rounds):
        weights = (1 + (moved - target).square().sum(-1) / scale**2) ** -2
        moved = superposed(moved, target, weights)
    return (1 / (1 + (moved - target).square().sum(-1) / scale**2)).mean(-1).max().item()


def test_a_moved_copy_scores_one(draw, spin):
    shape = chain(draw, 3)
    moved = Rigid(spin, torch.ones(3, dtype=torch.float64)).apply(shape)
    torch.testing.assert_close(tm_score(moved, shape), torch.ones(3, dtype=torch.float64))


def test_rigid_motion_changes_nothing(draw, spin):
    a, b = chain(draw, 2), chain(draw, 2)
    torch.testing.assert_close(tm_score(a @ spin.T - 4, b), tm_score(a, b), atol=1e-6, rtol=0)


def test_a_batch_equals_a_loop(draw):
    a, b = chain(draw, 2, 2), chain(draw)
    looped = torch.stack([tm_score(one, b) for one in a.flatten(0, 1)]).reshape(2, 2)
    torch.testing.assert_close(tm_score(a, b), looped)


def test_a_rigid_half_is_found_where_the_best_fit_of_all_misses_it(draw):
    """A hinge: half of the chain superposes exactly, so the score passes one half; the plain fit scores lower."""
    target = chain(draw, residues=120)
    turn = torch.diag(torch.tensor([1.0, -1, -1], dtype=torch.float64))
    mobile = target.clone()
    mobile[60:] = (target[60:] - target[60]) @ turn + target[60]
    plain = tm_score(superposed(mobile, target), target, fit=False)
    assert tm_score(mobile, target) > 0.5 > plain


def test_the_search_finds_what_three_hundred_random_starts_find(draw):
    for residues in (25, 60):
        a, b = chain(draw, 2, residues=residues)
        assert tm_score(a, b).item() >= naive(a, b, draw) - 0.005


def test_the_score_as_it_lies_is_biotites(trp_cage):
    heavy = trp_cage.select("heavy")
    place = torch.arange(heavy.n_atoms, dtype=torch.float64)[:, None], torch.arange(3, dtype=torch.float64)
    model = heavy.coords.reshape(-1, 3) + 0.8 * torch.sin(12.9898 * place[0] + 78.233 * place[1])
    ca = torch.from_numpy(np.flatnonzero(heavy.topology.atom_names == "CA"))
    score = tm_score(model[ca], heavy.coords.reshape(-1, 3)[ca], length=60, fit=False)
    assert score.item() == pytest.approx(REFERENCE["tm_score_as_it_lies_60"], abs=1e-5)


def test_the_scale_follows_the_papers_formula():
    assert tm_scale(100) == pytest.approx(1.24 * 85 ** (1 / 3) - 1.8)
    assert tm_scale(3) == 0.5


def test_the_gradient_is_that_of_the_maximum(draw):
    a = chain(draw, residues=8)
    b = a + 0.5 * torch.randn(a.shape, generator=draw, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: tm_score(x, b), a.requires_grad_(), atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("residues", [0, 1, 2, 3, 5])
def test_short_and_coincident_chains_are_finite(dtype, residues):
    points = torch.ones(2, residues, 3, dtype=dtype, requires_grad=True)
    target = torch.arange(3 * residues, dtype=dtype).reshape(residues, 3)
    score = tm_score(points, target)
    assert score.shape == (2,)
    assert ((score >= 0) & (score <= 1)).all()
    assert torch.autograd.grad(score.sum(), points)[0].isfinite().all()


def test_members_of_an_ensemble_score_above_half(draw):
    shape = chain(draw, residues=100)
    frames, mean = superposed_to_mean(shape + 0.3 * torch.randn(5, 100, 3, generator=draw, dtype=torch.float64))
    assert (tm_score(frames, mean) > 0.9).all()
    assert (rmsd(frames, mean) < 1).all()
