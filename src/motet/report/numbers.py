"""Numbers as a person writes them: sensible digits, a real minus sign, an error that rules the last digit."""

import math

UNKNOWN = "–"


def significant(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits, without an exponent."""
    if not math.isfinite(value):
        return UNKNOWN if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    return fixed(value, max(digits - 1 - _magnitude(value, digits), 0))


def fixed(value: float, decimals: int) -> str:
    """`value` with so many decimals."""
    if not math.isfinite(value):
        return significant(value)
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float, decimals: int) -> str:
    """`+1.2`, `−0.4`, `0.0`."""
    text = fixed(value, decimals)
    return f"+{text}" if float(f"{value:.{decimals}f}") > 0 else text


def with_error(value: float, error: float) -> str:
    """`0.62 ± 0.04`, in one piece: the error to one digit (two from 1), the value to the same decimals."""
    if not math.isfinite(error) or not math.isfinite(value):
        return f"{significant(value)}\u00a0±\u00a0{UNKNOWN}"
    if error <= 0:
        return significant(value)
    leading = math.floor(error / 10 ** _magnitude(error, 1))
    decimals = max((1 if leading == 1 else 0) - _magnitude(error, 1), 0)
    return f"{fixed(value, decimals)}\u00a0±\u00a0{fixed(error, decimals)}"


def percent(share: float) -> str:
    """`62 %`."""
    return f"{significant(100 * share, 2)}\u00a0%"


def percent_with_error(share: float, error: float) -> str:
    """`62 ± 4 %`."""
    return f"{with_error(100 * share, 100 * error)}\u00a0%"


def plain(value: float | int) -> str:
    """A setting as it was given: `300`, `298.15`."""
    return f"{value:g}".replace("-", "−")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 state`, `3 states`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}".replace(",", "\u202f")


def duration(seconds: float | int) -> str:
    """`0.42 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{significant(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _magnitude(value: float, digits: int) -> int:
    """Power of ten of the first digit that is left after rounding to `digits`."""
    return int(f"{value:.{digits - 1}e}".split("e")[1])
