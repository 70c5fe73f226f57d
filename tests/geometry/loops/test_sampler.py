"""Hit and run: what a step must keep, and the law that its chains must follow."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from motet.errors import LoopError
from motet.geometry import angle, backbone_from_torsions, dihedral, distance
from motet.geometry.loops import (
    Walk,
    geometric_step,
    list_closures,
    metropolis_step,
    tripeptide_internals,
)
from motet.geometry.loops.arcs import Peptides, may_close
from motet.geometry.loops.motion import Curve, Frame


def loop_of(residues, seed=0):
    """A bent chain: N, CA and C of its residues."""
    random = torch.Generator().manual_seed(seed)
    torsions = torch.tensor([[-1.2], [2.2]]) + 0.9 * torch.randn(2, residues, generator=random)
    return backbone_from_torsions(*torsions.double())[:, :3]


def internals(trace):
    """Bonds, angles and ω along a backbone: all that a step must keep."""
    atoms = trace.flatten(-3, -2).unbind(-2)
    count = len(atoms)
    bonds = [distance(atoms[k], atoms[k + 1]) for k in range(count - 1)]
    angles = [angle(*atoms[k : k + 3]) for k in range(count - 2)]
    omegas = [dihedral(*atoms[k : k + 4]).cos() for k in range(1, count - 3, 3)]
    return torch.stack([*bonds, *angles, *omegas], -1)


@pytest.mark.parametrize("residues", [3, 4, 5, 6, 7, 11])
@pytest.mark.parametrize("step", [geometric_step, metropolis_step])
def test_steps_keep_internals_and_ends(residues, step):
    start = loop_of(residues)
    walk = Walk.start(start.expand(40, -1, -1, -1))
    random = torch.Generator().manual_seed(1)
    for _ in range(12):
        walk = step(walk, random)
    torch.testing.assert_close(internals(walk.trace), internals(start).expand(40, -1), atol=1e-7, rtol=0)
    for residue, atoms in ((0, (0, 1)), (-1, (1, 2))):
        fixed = start[residue, list(atoms)].expand(40, 2, 3)
        torch.testing.assert_close(walk.trace[:, residue, list(atoms)], fixed, atol=1e-7, rtol=0)
    assert walk.accepted.sum() > 0
    if residues > 3:
        assert (walk.trace - start).abs().amax((1, 2, 3)).max() > 0.5


def test_the_same_seed_walks_the_same_way():
    def end(seed):
        random = torch.Generator().manual_seed(seed)
        walk = Walk.start(loop_of(7).expand(10, -1, -1, -1))
        for _ in range(4):
            walk = metropolis_step(walk, random)
        return walk.trace

    assert (end(3) == end(3)).all()
    assert not (end(3) == end(4)).all()


def test_a_loop_of_two_residues_is_refused():
    with pytest.raises(LoopError):
        Walk.start(loop_of(2)[None])


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_curve_can_be_walked_back(first):
    """From where it leads, the curve of the same speeds leads home."""
    frame, start = Frame(8, first), loop_of(8).expand(20, -1, -1, -1)
    curve = Curve.drawn(frame, start, 1.0, 2.5, torch.Generator().manual_seed(0))
    t = torch.linspace(-1, 1, 20, dtype=torch.float64)
    anchors, head, tail = curve.at(t)
    windows = frame.windows(start).clone()
    windows[:, :, (0, 1, 7, 8)] = anchors
    there = curve.put_together(windows, head, tail)
    back, head, tail = Curve.through(frame, there, curve.twist, curve.drift, curve.turns).at(-t)
    torch.testing.assert_close(back, frame.windows(start)[:, :, (0, 1, 7, 8)], atol=1e-9, rtol=0)
    torch.testing.assert_close(head[:, :-2], start[:, :first].flatten(1, 2), atol=1e-9, rtol=0)


def test_the_necessary_condition_rejects_nothing_that_closes(trp_cage):
    """24,000 displacements of the last leg, by 0.5 to 4 Å and 0.2 to 2 rad."""
    topology = trp_cage.topology
    trace = np.stack([topology.atom_index(name) for name in ("N", "CA", "C")], -1)
    windows = np.stack([trace[k : k + 3].ravel() for k in range(len(trace) - 2)])
    pool = trp_cage.coords.double().reshape(-1, 3)[torch.from_numpy(windows)]
    random = torch.Generator().manual_seed(0)
    kept = []
    for shift, turn in ((0.5, 0.2), (1.0, 0.4), (2.0, 0.8), (4.0, 2.0)):
        atoms = pool[torch.randint(len(pool), (6000,), generator=random)]
        spin = torch.randn(2, 6000, 3, generator=random, dtype=torch.float64)
        spin, move = torch.nn.functional.normalize(spin, dim=-1) * torch.tensor([turn, shift])[:, None, None]
        zero = torch.zeros(6000, dtype=torch.float64)
        x, y, z = spin.unbind(-1)
        rotation = torch.linalg.matrix_exp(
            torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), -1).reshape(-1, 3, 3)
        )
        leg, centre = atoms[:, 7:], atoms[:, 7:].mean(1, keepdim=True)
        anchors = torch.cat((atoms[:, :2], (leg - centre) @ rotation.mT + centre + move[:, None]), dim=1)
        problem = list_closures(*tripeptide_internals(atoms)[:3], anchors).problem
        may = may_close(Peptides.of(atoms), anchors)
        assert may[problem].all()
        kept.append((len(problem.unique()) / 6000, may.double().mean().item()))
    assert all(closing <= may for closing, may in kept)
    assert kept[-1][1] < 0.5  # it does reject


def closed_at_random(start, draws, random):
    """Loops with uniform torsions after the third residue, closed by the first three, and their weights.

    Uniform torsions that close, each solution weighed by one over its Jacobian, are the flat measure of all
    torsions on closed loops: what a Metropolis walk without energy must draw from.
    """
    residues = len(start)
    tail = torch.cat((start[2, 1:], start[3:].flatten(0, 1))).expand(draws, -1, 3)
    for residue in range(residues - 3):
        for first in (2 + 3 * residue, 3 + 3 * residue):
            angles = 2 * math.pi * torch.rand(draws, generator=random, dtype=torch.float64)
            tail = turned(tail, first, angles)
    ends = start[0, :2].expand(draws, 2, 3)
    near = ((tail[:, 0] - ends[:, 1]).norm(dim=-1) < 7.7).nonzero().squeeze(-1)
    tail, anchors = tail[near], torch.cat((ends[near], tail[near, :2]), dim=1)
    lengths, angles, omegas, _ = tripeptide_internals(start[:3].flatten(0, 1).expand(len(near), 9, 3))
    found = list_closures(lengths, angles, omegas, anchors)
    rest = tail[found.problem, 2:].unflatten(1, (-1, 3))
    return torch.cat((found.coords.unflatten(1, (3, 3)), rest), dim=1), 1 / found.torsion_jacobian


def turned(atoms, first, angles):
    """The atoms before a bond, turned about it."""
    axis = torch.nn.functional.normalize(atoms[:, first + 1] - atoms[:, first], dim=-1)[:, None]
    rest = atoms[:, :first] - atoms[:, first, None]
    along = (rest * axis).sum(-1, keepdim=True) * axis
    off, cosine, sine = rest - along, angles.cos()[:, None, None], angles.sin()[:, None, None]
    spun = along + cosine * off + sine * torch.linalg.cross(axis.expand_as(off), off)
    return torch.cat((spun + atoms[:, first, None], atoms[:, first:]), dim=1)


def torsions(trace):
    atoms = trace.flatten(1, 2).unbind(1)
    return torch.stack([dihedral(*atoms[k : k + 4]) for k in range(len(atoms) - 3) if k % 3 != 1], -1)


def agreement(walked, reference, weights, bins=8):
    """p of χ² for each torsion: counts of independent chains against a weighed sample."""
    share = weights / weights.sum()
    found = []
    for mine, theirs in zip(torsions(walked).T, torsions(reference).T, strict=True):
        place = [((x + math.pi) * bins / (2 * math.pi)).long().clamp(0, bins - 1) for x in (mine, theirs)]
        counts = place[0].bincount(minlength=bins).double() / len(mine)
        expected = torch.zeros(bins, dtype=torch.float64).index_add_(0, place[1], share)
        noise = torch.zeros(bins, dtype=torch.float64).index_add_(0, place[1], share.square())
        seen = expected > 5 / len(mine)
        variance = expected * (1 - expected) / len(mine) + noise
        total = ((counts - expected).square() / variance * (1 - expected))[seen].sum()
        found.append(float(chi2.sf(float(total), max(int(seen.sum()) - 1, 1))))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("residues", "draws", "chains", "steps"), [(4, 30_000, 4000, 10), (9, 250_000, 1200, 12)])
def test_a_metropolis_walk_keeps_the_flat_measure_of_the_torsions(residues, draws, chains, steps):
    random = torch.Generator().manual_seed(11)
    start = loop_of(residues, seed=2)
    parts = [closed_at_random(start, min(draws, 50_000), random) for _ in range(-(-draws // 50_000))]
    reference, weights = (torch.cat(one) for one in zip(*parts, strict=True))
    drawn = torch.multinomial(weights, chains, replacement=True, generator=random)
    walk = free = Walk.start(reference[drawn])
    for _ in range(steps):
        walk, free = metropolis_step(walk, random), geometric_step(free, random)
    p = agreement(walk.trace, reference, weights)
    assert min(p) > 0.01 / len(p), p
    assert np.median(p) > 0.05, p
    assert min(agreement(free.trace, reference, weights)) < 1e-6  # the test sees a walk of another law
