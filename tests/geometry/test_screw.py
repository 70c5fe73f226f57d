"""A screw is its motion: a turn about the axis, a slide along it."""

import pytest
import torch

from motet.geometry import Rigid, Screw


def turned(axis, angle, point, slide):
    """The motion that turns by `angle` about the line through `point` and slides along it."""
    axis, point = (torch.as_tensor(v, dtype=torch.float64) for v in (axis, point))
    axis = axis / axis.norm()
    x, y, z = (axis * angle).tolist()
    spin = torch.linalg.matrix_exp(torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64))
    return Rigid(spin, point - spin @ point + slide * axis)


@pytest.mark.parametrize("angle", [1e-4, 0.3, 1.6, 3.1, torch.pi - 1e-9, torch.pi])
def test_a_screw_gives_back_the_turn_it_was_made_from(angle):
    motion = turned((1.0, 2.0, -0.5), angle, (3.0, -1.0, 4.0), 2.5)
    screw = Screw.of(motion)
    sign = 1.0 if angle < 3.14159 else float(torch.sign(screw.axis[0]))  # at half a turn both senses are right
    assert float(screw.angle) == pytest.approx(angle, abs=1e-7)
    assert float(screw.slide) * sign == pytest.approx(2.5, abs=1e-6)
    again = turned(screw.axis, float(screw.angle), screw.point, float(screw.slide))
    torch.testing.assert_close(again.rotation, motion.rotation, atol=1e-7, rtol=0)
    torch.testing.assert_close(again.translation, motion.translation, atol=1e-4, rtol=0)


def test_what_does_not_turn_slides():
    screw = Screw.of(Rigid(torch.eye(3, dtype=torch.float64), torch.tensor([0.0, 3.0, 4.0], dtype=torch.float64)))
    assert screw.angle == 0
    assert float(screw.slide) == pytest.approx(5)
    torch.testing.assert_close(screw.axis, torch.tensor([0.0, 0.6, 0.8], dtype=torch.float64))
    assert not screw.point.any()


def test_no_motion_is_finite():
    screw = Screw.of(Rigid.identity((2,)))
    for part in (screw.axis, screw.point, screw.angle, screw.slide):
        assert part.isfinite().all()
    assert not screw.angle.any()
    assert not screw.slide.any()


def test_a_batch_equals_a_loop():
    motions = [turned((0.0, 1.0, 1.0), a, (1.0, 0.0, a), a) for a in (0.0, 0.7, 2.0)]
    batch = Rigid(torch.stack([m.rotation for m in motions]), torch.stack([m.translation for m in motions]))
    for i, motion in enumerate(motions):
        alone, together = Screw.of(motion), Screw.of(batch)
        for name in ("axis", "point", "angle", "slide"):
            torch.testing.assert_close(getattr(together, name)[i], getattr(alone, name))
