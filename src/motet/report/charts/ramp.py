"""From pale to strong in eight steps, for maps."""

from markupsafe import Markup

from ..palette import RAMP_LEVELS
from .axes import Frame
from .svg import Length, element, text


def level(value: Length, low: Length, high: Length) -> int:
    """Step of the ramp for a value, 0 to 7; values outside go to the ends."""
    share = (value - low) / (high - low) if high > low else 0.0
    return min(max(int(share * RAMP_LEVELS), 0), RAMP_LEVELS - 1)


def square_frame(width: Length) -> Frame:
    """A square plot, with room below it for an axis and the ramp."""
    frame = Frame(width, width, bottom=92)
    side = frame.x[1] - frame.x[0]
    return Frame(width, side + frame.top + frame.bottom, bottom=frame.bottom)


def above_key(frame: Frame) -> Frame:
    """The same plot without the room of the ramp, to hang an axis on."""
    return Frame(frame.width, frame.height - 48, top=frame.top, bottom=frame.bottom - 48)


def ramp_key(
    frame: Frame, label: str, low: str, high: str, *, reverse: bool = False, kind: str = "ramp"
) -> Markup:
    """The ramp with its ends named, in the lowest 40 units of the frame."""
    size, gap = 16.0, 8.0
    y = frame.height - 34
    left = sum(frame.x) / 2 - size * RAMP_LEVELS / 2
    order = range(RAMP_LEVELS - 1, -1, -1) if reverse else range(RAMP_LEVELS)
    parts = [
        element("rect", x=left + size * i, y=y, width=size, height=10, class_=f"{kind}-{step}")
        for i, step in enumerate(order)
    ]
    parts.append(text(low, left - gap, y + 5, "end", "tick", dominant_baseline="central"))
    end = left + size * RAMP_LEVELS + gap
    parts.append(text(high, end, y + 5, "start", "tick", dominant_baseline="central"))
    parts.append(text(label, sum(frame.x) / 2, frame.height - 6, "middle", "label"))
    return Markup("").join(parts)
