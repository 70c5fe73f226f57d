"""What a chart hands to the page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from markupsafe import Markup


@dataclass(frozen=True)
class Hover:
    """What is said when the pointer is near a point of the drawing.

    Args:
        x: Where each point lies, in the drawing's own units.
        y: The same, downwards.
        text: What is said of it; lines are parted by a newline.
        nearest: Whether the point is sought along x alone, or in the plane.
        reach: How far from a point the pointer may be, in the drawing's units; in the plane only.
        residues: Residue that each point speaks of, to mark it in 3-D.
    """

    x: Sequence[float]
    y: Sequence[float]
    text: Sequence[str]
    nearest: Literal["x", "plane"] = "plane"
    reach: float = 12.0
    residues: Sequence[Sequence[int]] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """For the page's script, to a tenth of a unit."""
        values = asdict(self)
        return {**values, "x": [round(v, 1) for v in self.x], "y": [round(v, 1) for v in self.y]}


@dataclass(frozen=True)
class Chart:
    """A drawing, its name in the page, and what it says under the pointer."""

    name: str
    svg: Markup
    hover: Hover
