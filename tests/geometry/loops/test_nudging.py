"""Small moves of closed loops: what they keep, and what they do not."""

import math

import pytest
import torch

from motet.errors import LoopError
from motet.geometry import angle, backbone_from_torsions, distance
from motet.geometry.loops import Building, Gap, Room, TorsionMaps, build_loops, nudge

NAMES = ("ALA", "SER", "GLY", "LEU", "ASP", "LYS", "VAL", "THR", "ALA")
LENGTH = 7


@pytest.fixture(scope="module")
def gap():
    turns = torch.full((LENGTH + 2,), 1.0, dtype=torch.float64)
    chain = backbone_from_torsions(-1.1 * turns, -0.8 * turns)
    return Gap(NAMES, chain[0], chain[-1, :3], psi_after=-0.8)


@pytest.fixture(scope="module")
def loops(gap):
    flat = TorsionMaps(torch.zeros(LENGTH + 2, 60, 60, dtype=torch.float64))
    empty = Room.of(gap, gap.before.new_zeros(0, 3), [])
    random, how = torch.Generator().manual_seed(3), Building(chains=300, closures=900)
    return build_loops(gap, flat, empty, 30, random, how).atoms


def nudged(gap, loops, degrees, first=3, seed=0):
    size = torch.full((len(loops),), math.radians(degrees), dtype=loops.dtype)
    return nudge(gap, loops, size, first, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("first", [1, 3, LENGTH - 2])
def test_a_move_of_nothing_leaves_loops_where_they_are(gap, loops, first):
    there, closed = nudged(gap, loops, 0.0, first)
    in_range = (loops - there).norm(dim=-1).amax((-2, -1)) < 1e-5
    assert closed.double().mean() > 0.9
    assert in_range.double().mean() > 0.9  # the others had an angle beyond the range in which it may move


@pytest.mark.parametrize("first", [1, 3, LENGTH - 2])
def test_lengths_and_angles_are_kept_across_both_ends(gap, loops, first):
    there, closed = nudged(gap, loops, 2.0, first)
    assert closed.double().mean() > 0.3
    moved = (there - loops).norm(dim=-1)[closed]
    assert moved.amax((-2, -1)).min() > 1e-3
    many = len(there)
    ends = gap.before[:3].expand(many, 3, 3), gap.after.expand(many, 3, 3)
    atoms = torch.cat((ends[0], there[:, :, :3].flatten(1, 2), ends[1]), dim=1).unbind(1)
    bonds = torch.stack([distance(atoms[k], atoms[k + 1]) for k in range(2, len(atoms) - 3)], -1)
    torch.testing.assert_close(bonds, gap.lengths[:, :3].flatten()[3:-2].expand_as(bonds), atol=1e-6, rtol=0)
    firm = [k for k in range(1, len(atoms) - 3) if k % 3]
    bends = torch.stack([angle(*atoms[k : k + 3]) for k in firm], -1)
    ideal = gap.angles[:, :3].flatten()[3:-1][[k - 1 for k in firm]]
    torch.testing.assert_close(bends, ideal.expand_as(bends), atol=1e-6, rtol=0)


def test_what_does_not_close_stays(gap, loops):
    there, closed = nudged(gap, loops, 60.0)
    assert not closed.all()
    assert (there[~closed] == loops[~closed]).all()


def test_larger_moves_go_farther(gap, loops):
    def went(degrees):
        there, closed = nudged(gap, loops, degrees)
        return float((there - loops)[closed].norm(dim=-1).median())

    assert 0 < went(0.2) < went(2.0)


def test_the_same_seed_moves_alike(gap, loops):
    first, second, other = (nudged(gap, loops, 1.0, seed=seed)[0] for seed in (1, 1, 2))
    assert (first == second).all()
    assert not (first == other).all()


@pytest.mark.parametrize("first", [0, LENGTH - 1])
def test_a_joint_beyond_the_loop_is_refused(gap, loops, first):
    with pytest.raises(LoopError, match="cannot close"):
        nudged(gap, loops, 1.0, first)
