import json
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from motet.errors import DegenerateLoopError
from motet.geometry import angle, dihedral, distance
from motet.geometry.loops import close_tripeptide, list_closures, tripeptide_internals

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


def test_the_torsion_jacobian_is_the_determinant_of_the_six_axes(closed):
    """A unit turn about each bond N-A and A-C turns the end about that axis and moves the last C."""
    atoms = closed.coords[closed.exists]
    start = atoms[:, (0, 1, 3, 4, 6, 7)]
    axis = atoms[:, (1, 2, 4, 5, 7, 8)] - start
    axis = axis / axis.norm(dim=-1, keepdim=True)
    moves = torch.linalg.cross(axis, atoms[:, 8:] - start)
    determinant = torch.linalg.det(torch.cat((axis, moves), dim=-1)).abs()
    torch.testing.assert_close(closed.torsion_jacobian[closed.exists], determinant, rtol=1e-6, atol=1e-9)


def test_the_list_holds_what_the_table_holds(batch, closed):
    listed = list_closures(*batch)
    assert (listed.problem == closed.exists.nonzero()[:, 0]).all()
    for field in fields(listed)[1:]:
        assert (getattr(listed, field.name) == getattr(closed, field.name)[closed.exists]).all()


def test_a_degenerate_problem_is_named_by_its_place(cases):
    """Also where problems are worked on in portions."""
    rows = [x[None].repeat(2100, *(1 for _ in x.shape)) for x in problem(cases[0])]
    along = rows[3][2090, 2] - rows[3][2090, 1]
    rows[3][2090, 0] = rows[3][2090, 1] - along
    rows[3][2090, 3] = rows[3][2090, 2] + along
    with pytest.raises(DegenerateLoopError, match="2090"):
        close_tripeptide(*rows)


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


def closes_to_itself(trace):
    """Largest difference between the given atoms of windows, `windows 9 3`, and the nearest closure."""
    closed = close_tripeptide(*tripeptide_internals(trace))
    off = torch.where(closed.exists, (closed.coords - trace[:, None]).abs().amax((-2, -1)), torch.inf)
    return off.amin(-1).max().item()


def test_residues_of_a_chain_close_to_themselves(trp_cage):
    """Each window of three residues has the structure itself among its closures."""
    topology = trp_cage.topology
    trace = np.stack([topology.atom_index(name) for name in ("N", "CA", "C")], -1)
    windows = np.stack([trace[k : k + 3].ravel() for k in range(len(trace) - 2)])
    assert closes_to_itself(trp_cage.coords.reshape(-1, 3)[torch.from_numpy(windows)]) < 1e-6


@pytest.mark.slow
def test_every_tripeptide_of_the_loop_set_closes_to_itself(shared):
    windows = []
    for path in sorted((shared / "loops" / "bb").glob("*.npz")):
        trace = np.load(path)["bb"][:, :3].astype(np.float64)
        three = np.concatenate([trace[k : len(trace) - 2 + k] for k in range(3)], axis=1)
        bonds = np.linalg.norm(three[:, 2:6:3] - three[:, 3:7:3], axis=-1)
        windows.append(three[np.isfinite(three).all((1, 2)) & (bonds < 1.6).all(1)])
    windows = torch.from_numpy(np.concatenate(windows))
    assert len(windows) > 40_000
    assert closes_to_itself(windows) < 1e-6


def test_random_problems_have_an_even_number_of_closures_apart_from_double_ones():
    """Zeros of the resultant come in pairs; a lost one would be alone."""
    random = torch.Generator().manual_seed(5)
    lengths, angles, omegas = (torch.rand(20_000, n, generator=random, dtype=torch.float64) for n in (6, 7, 2))
    anchors = 2 * torch.randn(20_000, 4, 3, generator=random, dtype=torch.float64)
    closed = close_tripeptide(0.8 + 2.5 * lengths, 0.6 + 2.2 * angles, 6.28 * omegas, anchors)
    odd = closed.exists.sum(-1) % 2 == 1
    assert not (odd & ~closed.near_double.any(-1)).any()
    assert closed.exists.sum(-1).max() >= 12


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
