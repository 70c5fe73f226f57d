"""Importance weights with their largest ones smoothed, and how far they can be trusted: Pareto k̂.

Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto smoothed importance sampling, JMLR 25, 72; the fit is that of
Zhang and Stephens (2009), Technometrics 51, 316, with the weak prior of the former.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError, NonFiniteError

TRUSTED = 0.7  # above it the weights say next to nothing, however many there are
_FEWEST = 5  # weights in a tail that can be fitted
_PRIOR = 10  # weights that the prior, k = 1/2, is worth


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Smoothed importance weights.

    Args:
        weights: They sum to 1.
        k: Shape of their tail: below 0.5 fine, to 0.7 usable, above it not; infinite where too few to tell.
    """

    weights: Float[Tensor, "draws"]
    k: float

    @property
    def trusted(self) -> bool:
        """Whether averages with these weights mean anything."""
        return self.k <= TRUSTED


def pareto_smoothed(log_weights: Float[Tensor, "draws"]) -> Smoothed:
    """The largest weights, replaced by the quantiles of a Pareto distribution fitted to them.

    Raises:
        ConfigError: There are none.
        NonFiniteError: One is infinite or not a number.
    """
    if log_weights.numel() == 0:
        raise ConfigError("there are no importance weights to smooth.")
    if not log_weights.isfinite().all():
        raise NonFiniteError("importance weights")
    logs = log_weights.double() - log_weights.double().max()
    count = len(logs)
    tail = math.ceil(min(0.2 * count, 3 * math.sqrt(count)))
    order = logs.argsort()
    k = math.inf
    if tail >= _FEWEST and count > tail:
        cut = logs[order[-tail - 1]].clamp_min(math.log(torch.finfo(logs.dtype).tiny))
        above = order[-tail:]
        over = logs[above].exp() - cut.exp()
        if float(over[-1]) > 0:
            k, scale = fitted_pareto(over)
            if math.isfinite(k):
                shares = (torch.arange(tail, dtype=logs.dtype) + 0.5) / tail
                logs = logs.clone()
                logs[above] = (_quantile(shares, k, scale) + cut.exp()).log()
                logs = logs.clamp_max(0)
    return Smoothed(torch.softmax(logs, 0), k)


def fitted_pareto(over: Float[Tensor, "tail"]) -> tuple[float, float]:
    """Shape k and scale of the generalised Pareto distribution of excesses, which rise and are positive."""
    x = over[over > 0].double()
    count = len(x)
    if count < 2 or float(x[-1] - x[0]) == 0:
        return math.inf, math.nan
    grid = 30 + int(math.sqrt(count))
    places = torch.arange(1, grid + 1, dtype=x.dtype)
    quartile = x[int(count / 4 + 0.5) - 1]
    b = 1 / x[-1] + (1 - (grid / (places - 0.5)).sqrt()) / (3 * quartile)
    shape = torch.log1p(-b[:, None] * x).mean(-1)
    likelihood = count * ((-b / shape).log() - shape - 1)
    share = 1 / (likelihood - likelihood[:, None]).exp().sum(-1)
    share = torch.where(share >= 10 * torch.finfo(x.dtype).eps, share, 0.0)
    mean = float((b * share).sum() / share.sum())
    k = float(torch.log1p(-mean * x).mean())
    scale = -k / mean
    return (count * k + _PRIOR * 0.5) / (count + _PRIOR), scale


def _quantile(shares: Tensor, k: float, scale: float) -> Tensor:
    if abs(k) < 1e-12:
        return -scale * torch.log1p(-shares)
    return scale * torch.expm1(-k * torch.log1p(-shares)) / k
