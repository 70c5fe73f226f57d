"""How a state is marked: a dot in its colour, or a disc with its number."""

from collections.abc import Sequence

from markupsafe import Markup

from ..names import state_number
from ..palette import ink_on, state_colour
from .svg import Length, dots, element, text


def state_dots(points: Sequence[tuple[float, float]], labels: Sequence[int], size: Length = 4.5) -> Markup:
    """A cloud of conformations, each in the colour of its state; one element for each state."""
    parts = []
    for label in sorted(set(labels)):
        cloud = dots([point for point, own in zip(points, labels, strict=True) if own == label])
        parts.append(element("path", d=cloud, class_="dots-rim", stroke_width=size + 1.4))
        parts.append(element("path", d=cloud, class_="dots", stroke=state_colour(label), stroke_width=size))
    return Markup("").join(parts)


def state_mark(x: Length, y: Length, label: int) -> Markup:
    """A disc with the number of the state."""
    colour = state_colour(label)
    disc = element("circle", cx=x, cy=y, r=11, fill=colour, class_="mark")
    words = text(
        state_number(label), x, y, "middle", "mark-number", fill=ink_on(colour), dominant_baseline="central"
    )
    return disc + words
