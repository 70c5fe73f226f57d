"""Rigid groups: hinges that were built in are found, with the motion they were built with."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from motet.errors import ConfigError
from motet.geometry import Rigid, RigidGroupFinder, rigid_groups

from .test_screw import turned


def coil(residues, generator):
    """A compact random chain of Cα, 3.8 Å from one to the next."""
    points = [torch.zeros(3, dtype=torch.float64)]
    for _ in range(residues - 1):
        step = torch.randn(3, generator=generator, dtype=torch.float64) - 0.12 * points[-1]
        points.append(points[-1] + 3.8 * step / step.norm())
    return torch.stack(points)


def runs(labels):
    """Labels as (label, first, last)."""
    edges = [0, *(i for i in range(1, len(labels)) if labels[i] != labels[i - 1]), len(labels)]
    return [(int(labels[a]), a, b - 1) for a, b in pairwise(edges)]


@pytest.fixture
def hinged(draw):
    """120 residues whose last 45 turn by 60° about a line through residue 75, with 0.2 Å of noise."""
    closed = coil(120, draw)
    motion = turned((1.0, 1.0, 0.0), 1.0472, closed[75], 0.0)
    opened = closed.clone()
    opened[75:] = motion.apply(closed[75:])
    return torch.stack((closed, opened + 0.2 * torch.randn(120, 3, generator=draw, dtype=torch.float64)))


def test_a_hinge_is_found_where_it_was_built(hinged):
    groups = rigid_groups(hinged)
    assert [label for label, _, _ in runs(groups.labels)] == [0, 1]
    (hinge,) = groups.hinges
    assert (hinge.before, hinge.after) == (0, 1)
    assert abs(hinge.first - 75) <= 2  # residues next to the axis hardly move
    assert hinge.last == hinge.first + 1


def test_the_turn_about_a_hinge_is_the_one_it_was_built_with(hinged):
    screw = rigid_groups(hinged).screw(1)
    axis = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64) / 2**0.5
    assert float(screw.angle) == pytest.approx(1.0472, abs=0.03)
    assert abs(float(screw.axis @ axis)) > 0.999
    assert abs(float(screw.slide)) < 0.3
    off = hinged[0, 75] - screw.point
    assert float((off - (off @ screw.axis) * screw.axis).norm()) < 0.5


def test_where_each_conformation_lies_does_not_matter(hinged, spin):
    one, two = rigid_groups(hinged), rigid_groups(torch.stack((hinged[0] @ spin + 5, hinged[1] - 40)))
    assert torch.equal(one.labels, two.labels)
    assert float(two.screw(1).angle) == pytest.approx(float(one.screw(1).angle), abs=1e-6)
    torch.testing.assert_close(one.deviation, two.deviation)


def test_a_group_of_two_stretches_is_one_group(draw):
    closed = coil(150, draw)
    opened = closed.clone()
    opened[50:90] = turned((0.0, 0.3, 1.0), 0.9, closed[50], 0.0).apply(closed[50:90])
    # The middle turns as a lid; what comes before and after it stays put.
    groups = rigid_groups(torch.stack((closed, opened)))
    assert [label for label, _, _ in runs(groups.labels)] == [0, 1, 0]
    assert len(groups) == 2
    assert [(h.before, h.after) for h in groups.hinges] == [(0, 1), (1, 0)]


def test_a_linker_between_two_groups_follows_neither(draw):
    closed = coil(110, draw)
    opened = closed.clone()
    opened[62:] = turned((0.2, 1.0, 0.0), 1.2, closed[50], 3.0).apply(closed[62:])
    opened[48:62] += 6.0 * torch.randn(14, 3, generator=draw, dtype=torch.float64)
    groups = rigid_groups(torch.stack((closed, opened)))
    assert (groups.labels[48:62] == -1).sum() >= 9
    (hinge,) = groups.hinges
    assert hinge.first <= 50 <= 59 <= hinge.last


def test_what_only_shakes_is_one_group_without_hinges(draw):
    closed = coil(80, draw)
    groups = rigid_groups(closed + 0.3 * torch.randn(5, 80, 3, generator=draw, dtype=torch.float64))
    assert not groups.labels.any()
    assert not groups.hinges
    assert groups.deviation.max() < 1.5


def test_many_conformations_share_their_groups(draw):
    start = coil(100, draw)
    turns = [turned((0.0, 1.0, 0.4), angle, start[60], 0.0) for angle in (0.3, 0.6, 0.9, 1.2)]
    bent = [torch.cat((start[:60], turn.apply(start[60:]))) for turn in turns]
    groups = rigid_groups(torch.stack((start, *bent)))
    assert [label for label, _, _ in runs(groups.labels)] == [0, 1]
    assert groups.motions.batch == (5, 2)
    angles = [float(groups.screw(1, conformation=i).angle) for i in range(5)]
    assert angles == pytest.approx([0.0, 0.3, 0.6, 0.9, 1.2], abs=0.02)


def test_motions_carry_the_first_conformation_onto_each(hinged):
    groups = rigid_groups(hinged)
    for group in range(len(groups)):
        inside = groups.members(group)
        motion = Rigid(groups.motions.rotation[1, group], groups.motions.translation[1, group])
        strays = (motion.apply(hinged[0, inside]) - hinged[1, inside]).norm(dim=-1)
        assert float(strays.max()) < 1.5


def test_there_is_no_hinge_between_two_chains(hinged):
    groups = rigid_groups(hinged, torch.arange(120) // 75)
    assert [(label, first) for label, first, _ in runs(groups.labels)] == [(0, 0), (1, 75)]
    assert not groups.hinges


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_coincident_and_few_points_are_no_error(dtype):
    assert rigid_groups(torch.zeros(3, 12, 3, dtype=dtype)).deviation.isfinite().all()
    few = rigid_groups(torch.zeros(2, 3, 3, dtype=dtype))
    assert (few.labels == -1).all()
    assert len(few) == 0


def test_one_conformation_has_no_groups():
    with pytest.raises(ConfigError, match="two conformations"):
        rigid_groups(torch.zeros(1, 20, 3))
    with pytest.raises(ConfigError, match="tolerance"):
        RigidGroupFinder(tolerance=0.0)


def test_adenylate_kinase_has_its_core_lid_and_amp_binding_domain(shared):
    """CORE 1-29, 68-117, 161-214; NMPbind 30-67; LID 118-160: Beckstein et al., J. Mol. Biol. 394 (2009) 160."""
    data = np.load(shared / "dynamics" / "trajectories" / "adk_dims.npz")
    coords = torch.from_numpy(data["coords"][[0, -1], :, 1].astype(np.float64) / 100)
    groups = rigid_groups(coords)
    assert [label for label, _, _ in runs(groups.labels)] == [0, 2, 0, 1, 0]
    ends = [last + 1 for _, _, last in runs(groups.labels)]
    for found, published in zip(ends, (29, 67, 117, 160, 214), strict=True):
        assert abs(found - published) <= 4
    lid, nmp = (float(groups.screw(group).angle.rad2deg()) for group in (1, 2))
    assert 35 < nmp < lid < 60
