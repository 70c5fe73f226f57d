"""Scales and axes: where a value lies on paper, and the lines and numbers that say so."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from ..numbers import fixed
from .svg import Length, element, text


@dataclass(frozen=True)
class Scale:
    """A straight map from values `low … high` to paper `start … stop`."""

    low: Length
    high: Length
    start: Length
    stop: Length

    def __call__(self, value: Length) -> float:
        """Where a value lies on paper."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    @classmethod
    def over(cls, values: Sequence[float], start: Length, stop: Length, *, zero: bool = False) -> "Scale":
        """From the smallest to the largest value, with a little air; from 0 where `zero`; never of no width."""
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(finite), max(finite)
        air = 0.04 * (high - low) or 0.5 * max(abs(high), 1e-3)
        return cls(0.0 if zero and low >= 0 else low - air, high + air, start, stop)

    def ticks(self, about: int) -> list[float]:
        """Round values, as near to so many as there are."""
        rough = (self.high - self.low) / max(about, 1)
        base = 10.0 ** math.floor(math.log10(rough))
        offers = [self._every(base * factor) for factor in (1, 2, 5, 10)]
        return min(offers, key=lambda ticks: (abs(len(ticks) - about), len(ticks)))

    def _every(self, step: float) -> list[float]:
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * i for i in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """The paper and the part of it that is plotted on."""

    width: Length
    height: Length
    left: Length = 66
    right: Length = 14
    top: Length = 14
    bottom: Length = 44

    @property
    def x(self) -> tuple[Length, Length]:
        """Left and right edge of the plot."""
        return self.left, self.width - self.right

    @property
    def y(self) -> tuple[Length, Length]:
        """Bottom and top edge of the plot."""
        return self.height - self.bottom, self.top


def x_axis(frame: Frame, scale: Scale, label: str, about: int = 6, *, names: bool = True) -> Markup:
    """Numbers, a rule and a label below the plot."""
    bottom, _ = frame.y
    parts = [element("path", d=f"M{frame.left} {bottom}H{frame.width - frame.right}", class_="axis")]
    if names:
        parts += _x_ticks(scale, bottom, about)
        parts.append(text(label, sum(frame.x) / 2, frame.height - 6, "middle", "label"))
    return Markup("").join(parts)


def y_axis(frame: Frame, scale: Scale, label: str, about: int = 5, *, grid: bool = True) -> Markup:
    """Numbers, a label and, faintly, lines across the plot."""
    parts = []
    ticks = scale.ticks(about)
    for value, words in zip(ticks, tick_labels(ticks), strict=True):
        y = scale(value)
        if grid:
            parts.append(element("path", d=f"M{frame.left} {y:.1f}H{frame.width - frame.right}", class_="grid"))
        parts.append(text(words, frame.left - 8, y, "end", "tick", dominant_baseline="central"))
    middle = sum(frame.y) / 2
    turn = f"rotate(-90 12 {middle:.1f})"
    parts.append(text(label, 12, middle, "middle", "label", transform=turn, dominant_baseline="central"))
    return Markup("").join(parts)


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """The values with just the decimals that tell them apart."""
    step = min((b - a for a, b in pairwise(ticks)), default=1.0)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0) if step > 0 else 0
    return [fixed(value, decimals) for value in ticks]


def _x_ticks(scale: Scale, bottom: Length, about: int) -> list[Markup]:
    ticks = scale.ticks(about)
    parts = []
    for value, words in zip(ticks, tick_labels(ticks), strict=True):
        x = scale(value)
        parts.append(element("path", d=f"M{x:.1f} {bottom:.1f}v4", class_="axis"))
        parts.append(text(words, x, bottom + 17, "middle", "tick"))
    return parts
