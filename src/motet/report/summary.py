"""Weighted summaries that a drawing needs."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..ensemble import Ensemble

QUANTILES = (0.05, 0.25, 0.75, 0.95)


@dataclass(frozen=True)
class TermSummary:
    """One energy term over the ensemble, in kcal/mol.

    Args:
        name: Name of the term.
        mean: Weighted mean.
        deviation: Weighted standard deviation.
        quantiles: Weighted 5, 25, 75 and 95 % quantiles.
    """

    name: str
    mean: float
    deviation: float
    quantiles: tuple[float, ...]


def term_summaries(ensemble: Ensemble) -> list[TermSummary]:
    """Summaries of all terms, in the ensemble's order."""
    weights = ensemble.weights.double().cpu()
    columns = ensemble.energies.double().cpu().unbind(-1)
    return [_summary(name, values, weights) for name, values in zip(ensemble.energy_terms, columns, strict=True)]


def _summary(
    name: str, values: Float[Tensor, "conformations"], weights: Float[Tensor, "conformations"]
) -> TermSummary:
    mean = (weights * values).sum() / weights.sum()
    variance = (weights * (values - mean).square()).sum() / weights.sum()
    return TermSummary(name, float(mean), float(variance.sqrt()), weighted_quantiles(values, weights))


def weighted_quantiles(
    values: Float[Tensor, "conformations"], weights: Float[Tensor, "conformations"]
) -> tuple[float, ...]:
    """The smallest value with at least that share of the weight at or below it."""
    ordered, order = values.sort()
    below = weights[order].cumsum(0) / weights.sum()
    shares = torch.tensor(QUANTILES, dtype=below.dtype)
    index = torch.searchsorted(below, shares - 1e-12).clamp_max(len(values) - 1)
    return tuple(ordered[index].tolist())
