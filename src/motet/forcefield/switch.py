"""The smooth way to zero at a cut-off."""

from jaxtyping import Float
from torch import Tensor


def switch(squared: Float[Tensor, "*pairs"], on: float, off: float) -> Float[Tensor, "*pairs"]:
    """1 below the distance `on`, 0 beyond `off`, with two continuous derivatives in between, of squared distances.

    The quintic 1 - 10 t³ + 15 t⁴ - 6 t⁵ in t = (r² - on²) / (off² - on²).
    """
    t = ((squared - on * on) / (off * off - on * on)).clamp(0.0, 1.0)
    return 1.0 - t * t * t * (10.0 + t * (6.0 * t - 15.0))
