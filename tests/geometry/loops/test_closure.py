import json
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from motet.errors import DegenerateLoopError
from motet.geometry import angle, dihedral, distance
from motet.geometry.loops import close_tripeptide

NAMES = ("b_len", "b_ang", "t_ang")


def problem(case):
    anchors = [case[name] for name in ("N1", "A1", "A3", "C3")]
    return [torch.tensor(values, dtype=torch.float64) for values in (*(case[name] for name in NAMES), anchors)]


@pytest.fixture(scope="module")
def cases(shared):
    return json.loads((shared / "loops" / "tripeptide_closure.json").read_text())["cases"]


@pytest.fixture(scope="module")
def batch(cases):
    return [torch.stack(rows) for rows in zip(*(problem(case) for case in cases), strict=True)]


@pytest.fixture(scope="module")
def closed(batch):
    return close_tripeptide(*batch)


def test_every_known_solution_is_found_and_no_other(cases, closed):
    for index, case in enumerate(cases):
        found = closed.coords[index, closed.exists[index]]
        assert len(found) in case["accept_n"], case["id"]
        for solution in case["solutions"]:
            off = (found - torch.tensor(solution["xyz"], dtype=torch.float64)).abs().amax((-2, -1)).min()
            assert off < max(case["tolerance_xyz"], 1e-8), (case["id"], off)


def test_lengths_angles_and_ends_are_kept(batch, closed):
    lengths, angles, omegas, anchors = batch
    problems = closed.exists.nonzero()[:, 0]
    atoms = closed.coords[closed.exists].unbind(1)
    kept = torch.stack([distance(atoms[k], atoms[k + 1]) for k in range(1, 7)], -1)
    torch.testing.assert_close(kept, lengths[problems], atol=1e-9, rtol=0)
    bent = torch.stack([angle(*atoms[k : k + 3]) for k in range(7)], -1)
    torch.testing.assert_close(bent, angles[problems], atol=1e-8, rtol=0)
    turned = torch.stack([dihedral(*atoms[k : k + 4]) for k in (1, 4)], -1) - omegas[problems]
    torch.testing.assert_close(turned.sin(), torch.zeros_like(turned), atol=1e-8, rtol=0)
    ends = torch.stack([atoms[k] for k in (0, 1, 7, 8)], 1)
    torch.testing.assert_close(ends, anchors[problems], atol=1e-8, rtol=0)


def test_a_batch_equals_a_loop(batch, closed):
    for index in (0, 7, 14, 15, 24):
        alone = close_tripeptide(*(rows[index] for rows in batch))
        for field in fields(alone):
            torch.testing.assert_close(getattr(alone, field.name), getattr(closed, field.name)[index])


def test_the_two_jacobians_are_proportional_within_a_problem(closed):
    """Their ratio depends on the problem alone, not on the solution."""
    ratio = closed.torsion_jacobian / torch.where(closed.exists, closed.body_jacobian, 1.0)
    for index in range(len(ratio)):
        some = ratio[index, closed.exists[index] & ~closed.near_double[index]]
        if len(some) > 1:
            assert (some.max() / some.min() - 1).item() < 1e-6


def test_gradients_agree_with_finite_differences(cases):
    case = next(case for case in cases if case["category"] == "many")
    inputs = [rows.requires_grad_() for rows in problem(case)]

    def existing(*rows):
        closed = close_tripeptide(*rows)
        return closed.coords[closed.exists]

    assert gradcheck(existing, inputs, atol=1e-5, fast_mode=True)


def test_near_double_solutions_are_flagged(cases, closed):
    for index, case in enumerate(cases):
        if case["category"] == "near_double":
            assert closed.near_double[index].any()


def test_residues_of_a_chain_close_to_themselves(trp_cage):
    """Each window of three residues has the structure itself among its closures."""
    topology = trp_cage.topology
    trace = np.stack([topology.atom_index(name) for name in ("N", "CA", "C")], -1)
    windows = np.stack([trace[k : k + 3].ravel() for k in range(len(trace) - 2)])
    atoms = trp_cage.coords.reshape(-1, 3)[torch.from_numpy(windows)]
    lengths = torch.stack([distance(atoms[:, k], atoms[:, k + 1]) for k in range(1, 7)], -1)
    angles = torch.stack([angle(*(atoms[:, k + step] for step in range(3))) for k in range(7)], -1)
    omegas = torch.stack([dihedral(*(atoms[:, k + step] for step in range(4))) for k in (1, 4)], -1)
    closed = close_tripeptide(lengths, angles, omegas, atoms[:, (0, 1, 7, 8)])
    off = torch.where(closed.exists, (closed.coords - atoms[:, None]).abs().amax((-2, -1)), torch.inf)
    assert off.amin(-1).max() < 1e-6


def test_legs_on_the_axis_are_refused(cases):
    lengths, angles, omegas, anchors = problem(cases[0])
    first, last = anchors[1], anchors[2]
    along = (last - first) / (last - first).norm()
    straight = torch.stack((first - 1.46 * along, first, last, last + 1.53 * along))
    with pytest.raises(DegenerateLoopError, match="fixed legs"):
        close_tripeptide(lengths, angles, omegas, straight)


def test_no_problems_no_closures():
    closed = close_tripeptide(*(torch.zeros(0, *shape) for shape in ((6,), (7,), (2,), (4, 3))))
    assert closed.coords.shape == (0, 16, 9, 3)
