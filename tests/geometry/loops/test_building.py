"""Loops built from nothing: what every one of them must keep."""

import math
from dataclasses import replace

import pytest
import torch

from motet.errors import LoopError
from motet.geometry import angle, backbone_from_torsions, dihedral, distance
from motet.geometry.loops import Building, Gap, Room, TorsionMaps, build_loops
from motet.geometry.loops.joining import FEWEST

NAMES = ("ALA", "SER", "GLY", "LEU", "ASP", "LYS", "VAL", "THR", "ALA")
FEW = Building(chains=300, closures=500, rounds=12)


def helix_gap(length):
    """The ends of a stretch of helix, whose residues in between are to be built."""
    turns = torch.full((length + 2,), 1.0, dtype=torch.float64)
    chain = backbone_from_torsions(-1.1 * turns, -0.8 * turns)
    names = (NAMES * 3)[: length + 2]
    return Gap(names, chain[0], chain[-1, :3], psi_after=-0.8), chain


def flat_maps(residues):
    return TorsionMaps(torch.zeros(residues, 60, 60, dtype=torch.float64))


def empty_room(gap):
    return Room.of(gap, gap.before.new_zeros(0, 3), [])


def built(length, seed=1, room=None):
    gap, _ = helix_gap(length)
    random = torch.Generator().manual_seed(seed)
    return gap, build_loops(gap, flat_maps(length + 2), room or empty_room(gap), 50, random, FEW)


@pytest.mark.parametrize("length", [3, 4, 7])
def test_lengths_and_angles_are_kept_across_both_ends(length):
    gap, loops = built(length)
    assert len(loops.atoms) > 10
    many = len(loops.atoms)
    trace = loops.atoms[:, :, :3].flatten(1, 2)
    ends = gap.before[:3].expand(many, 3, 3), gap.after.expand(many, 3, 3)
    atoms = torch.cat((ends[0], trace, ends[1]), dim=1).unbind(1)
    bonds = torch.stack([distance(atoms[k], atoms[k + 1]) for k in range(2, len(atoms) - 3)], -1)
    ideal = gap.lengths[:, :3].flatten()[3:-2]
    torch.testing.assert_close(bonds, ideal.expand_as(bonds), atol=1e-6, rtol=0)
    bends = torch.stack([angle(*atoms[k : k + 3]) for k in range(1, len(atoms) - 3)], -1)
    ideal = gap.angles[:, :3].flatten()[3:-1]
    loose = [k for k in range(bends.shape[1]) if (k + 3) % 3 == 2]
    firm = [k for k in range(bends.shape[1]) if k not in loose]
    torch.testing.assert_close(bends[:, firm], ideal[firm].expand(many, -1), atol=1e-6, rtol=0)
    assert (bends[:, loose] - ideal[loose]).abs().max() < math.radians(15)
    omega = torch.stack([dihedral(*atoms[k : k + 4]) for k in range(4, len(atoms) - 3, 3)], -1)
    assert omega.cos().max() < math.cos(math.radians(150))


def test_nothing_overlaps():
    gap, loops = built(7)
    alpha = torch.cat((gap.before[None, 1:2].expand(len(loops.atoms), 1, 3), loops.atoms[:, :, 1]), 1)
    apart = torch.cdist(alpha, alpha) + 10 * torch.eye(alpha.shape[1], dtype=alpha.dtype)
    assert apart.min() > 2.9
    assert loops.room.min() > -0.2 - 1e-9


def test_loops_stay_out_of_what_stands_around():
    gap, free = built(7)
    centre = free.atoms[:, 3, 1].mean(0)
    wall = centre + 0.5 * torch.randn(4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    room = Room.of(gap, wall, ["C"] * len(wall))
    _, loops = built(7, room=room)
    beta = torch.arange(5) < 4
    assert torch.cdist(loops.atoms[:, 1:-1, beta].flatten(1, 2), wall).min() > 2.5
    assert torch.cdist(free.atoms[:, 1:-1, beta].flatten(1, 2), wall).min() < 2.5


def test_the_same_seed_builds_the_same_loops():
    first, second, other = built(5, 1)[1], built(5, 1)[1], built(5, 2)[1]
    assert (first.atoms == second.atoms).all()
    assert first.atoms.shape != other.atoms.shape or not (first.atoms == other.atoms).all()


def test_draws_follow_the_map():
    surface = torch.full((1, 60, 60), 20.0, dtype=torch.float64)
    surface[0, 20, 25], surface[0, 40, 5] = 0.0, math.log(3.0)
    phi, psi = TorsionMaps(surface).draw(0, (20_000,), torch.Generator().manual_seed(0))
    first = ((phi - math.radians(-60)).abs() < 0.06) & ((psi - math.radians(-30)).abs() < 0.06)
    second = ((phi - math.radians(60)).abs() < 0.06) & ((psi - math.radians(-150)).abs() < 0.06)
    assert (first | second).double().mean() > 0.999
    assert first.double().mean().item() == pytest.approx(0.75, abs=0.015)


def test_a_loop_that_seldom_closes_gets_more_rounds():
    gap, _ = helix_gap(7)
    scarce = replace(FEW, closures=8, rounds=2)
    random = torch.Generator().manual_seed(1)
    few = [_joined_in(gap, scarce, count, random) for count in (1, 1000)]
    assert few[0] < FEWEST <= few[1]


def _joined_in(gap, how, count, random):
    return len(build_loops(gap, flat_maps(9), empty_room(gap), count, random, how).atoms)


@pytest.mark.parametrize("length", [1, 2])
def test_fewer_than_three_residues_are_refused(length):
    with pytest.raises(LoopError, match="three residues"):
        built(length)


def test_ends_out_of_reach_are_refused():
    gap, _ = helix_gap(4)
    far = Gap(gap.names, gap.before, gap.after + 40.0)
    with pytest.raises(LoopError, match="Å apart"):
        build_loops(far, flat_maps(6), empty_room(far), 10, torch.Generator().manual_seed(0), FEW)
