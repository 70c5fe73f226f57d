"""Scales and axes: where a value lies on paper, and the lines and numbers that say so."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..numbers import fixed
from .svg import element, text


@dataclass(frozen=True)
class Scale:
    """A straight map from values `low … high` to paper `start … stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Where a value lies on paper."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    @classmethod
    def over(cls, values: Sequence[float], start: float, stop: float, *, zero: bool = False) -> "Scale":
        """From the smallest to the largest value, with a little air; from 0 where `zero`; never of no width."""
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(finite), max(finite)
        air = 0.04 * (high - low) or 0.5 * max(abs(high), 1e-3)
        return cls(0.0 if zero and low >= 0 else low - air, high + air, start, stop)

    def ticks(self, about: int) -> list[float]:
        """About so many round values."""
        step = _round_step((self.high - self.low) / max(about, 1))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * i for i in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """The paper and the part of it that is plotted on."""

    width: float
    height: float
    left: float = 52
    right: float = 14
    top: float = 14
    bottom: float = 44

    @property
    def x(self) -> tuple[float, float]:
        """Left and right edge of the plot."""
        return self.left, self.width - self.right

    @property
    def y(self) -> tuple[float, float]:
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
    turn = f"rotate(-90 13 {middle:.1f})"
    parts.append(text(label, 13, middle, "middle", "label", transform=turn, dominant_baseline="central"))
    return Markup("").join(parts)


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """The values with just the decimals that tell them apart."""
    step = min((b - a for a, b in zip(ticks, ticks[1:], strict=False)), default=1.0)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0) if step > 0 else 0
    return [fixed(value, decimals) for value in ticks]


def _x_ticks(scale: Scale, bottom: float, about: int) -> list[Markup]:
    ticks = scale.ticks(about)
    parts = []
    for value, words in zip(ticks, tick_labels(ticks), strict=True):
        x = scale(value)
        parts.append(element("path", d=f"M{x:.1f} {bottom:.1f}v4", class_="axis"))
        parts.append(text(words, x, bottom + 17, "middle", "tick"))
    return parts


def _round_step(rough: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ."""
    base = 10.0 ** math.floor(math.log10(rough))
    return next(base * factor for factor in (1, 2, 5, 10) if base * factor >= rough * (1 - 1e-9))
