"""The smooth way to zero at a cut-off."""

from jaxtyping import Float
from torch import Tensor


def switch(squared: Float[Tensor, "*pairs"], on: float, off: float) -> Float[Tensor, "*pairs"]:
    """1 below the distance `on`, 0 beyond `off`, with two continuous derivatives in between, of squared distances.

    The quintic 1 - 10 t³ + 15 t⁴ - 6 t⁵ in t = (r² - on²) / (off² - on²).
    """
    return quintic((squared - on * on) / (off * off - on * on))


def quintic(t: Float[Tensor, "*pairs"]) -> Float[Tensor, "*pairs"]:
    """1 - 10 t³ + 15 t⁴ - 6 t⁵: 1 up to zero, 0 beyond one, with two continuous derivatives at both."""
    t = t.clamp(0.0, 1.0)
    return 1.0 - t * t * t * (10.0 + t * (6.0 * t - 15.0))


def switch_and_slope(
    squared: Float[Tensor, "*pairs"], on: float, off: float
) -> tuple[Float[Tensor, "*pairs"], Float[Tensor, "*pairs"]]:
    """The same with its derivative by the squared distance, outside any graph."""
    scale = 1.0 / (off * off - on * on)
    t = (squared * scale).sub_(on * on * scale).clamp_(0.0, 1.0)
    square = t * t
    value = (t * 6.0).sub_(15.0).mul_(t).add_(10.0).mul_(square).mul_(t).neg_().add_(1.0)
    slope = t.sub_(1.0).square_().mul_(square).mul_(-30.0 * scale)
    return value, slope


def hump(u: Float[Tensor, "*pairs"]) -> Float[Tensor, "*pairs"]:
    """(1 - u²)³: 1 at zero, 0 beyond one, with two continuous derivatives there."""
    t = (1.0 - u * u).clamp_min(0.0)
    return t * t * t


def fade(u: Float[Tensor, "*pairs"]) -> Float[Tensor, "*pairs"]:
    """(1 - u³)³: 1 up to zero, 0 beyond one, with two continuous derivatives at both."""
    t = u.clamp_min(0.0)
    t = (1.0 - t * t * t).clamp_min(0.0)
    return t * t * t
