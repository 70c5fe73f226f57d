"""The colours of the report, the same in every chart and in 3-D.

States wear the colours of Okabe and Ito (Color Universal Design, 2008), told apart by people of every colour
vision; a number stands beside each, so that colour is never the only sign. The ramp runs from blue to orange.
"""

STATE_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c8c8c")
FLEXIBILITY_RAMP = ("#2f6db0", "#6fa3d0", "#cfc59d", "#e89a3c", "#cf4b28")
RAMP_LEVELS = 8  # steps of the ramp that style.css names --ramp-0 … --ramp-7, pale to strong


def state_colour(label: int) -> str:
    """Colour of a state; after the eighth they come again, and the number beside them tells."""
    return STATE_COLOURS[label % len(STATE_COLOURS)]


def shade(share: float, strongest: int = 50) -> str:
    """A colour from -1 (cold) to 1 (warm), of light as of dark pages; words can be read on 50 % of one."""
    colour = "--bad" if share > 0 else "--accent"
    return f"color-mix(in srgb, var({colour}) {strongest * min(abs(share), 1.0):.0f}%, transparent)"


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on this colour (contrast of WCAG 2.2)."""
    light = _luminance(colour)
    return "#ffffff" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "#000000"


def _luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
