import pytest

from motet.report.palette import FLEXIBILITY_RAMP, STATE_COLOURS, _luminance, ink_on, state_colour


@pytest.mark.parametrize("colour", STATE_COLOURS)
def test_the_number_on_a_state_can_be_read(colour):
    light, ink = _luminance(colour), _luminance(ink_on(colour))
    assert (max(light, ink) + 0.05) / (min(light, ink) + 0.05) >= 4.5  # WCAG 2.2, level AA


def test_luminance_of_the_ends():
    assert _luminance("#ffffff") == pytest.approx(1.0)
    assert _luminance("#000000") == 0.0


def test_every_state_has_a_colour():
    assert state_colour(len(STATE_COLOURS) + 2) == STATE_COLOURS[2]
    assert len(set(STATE_COLOURS)) == len(STATE_COLOURS)
    assert len(set(FLEXIBILITY_RAMP)) == len(FLEXIBILITY_RAMP)
