"""How far an ensemble can be trusted: effective sample size, and agreement between independent chains."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .ensemble import Ensemble
from .observables import Observables
from .weights import effective_sample_size

CONVERGED_R_HAT = 1.1


@dataclass(frozen=True)
class Diagnostic:
    """R-hat and effective sample size of one series over independent chains.

    Args:
        name: What was followed.
        r_hat: Split R-hat; near 1 when chains agree, NaN when there are too few conformations to say.
        effective_samples: Independent conformations the series is worth.
    """

    name: str
    r_hat: float
    effective_samples: float


@dataclass(frozen=True)
class SamplingQuality:
    """Diagnostics of RMSD, radius of gyration and energy, and of the weights.

    Args:
        diagnostics: One for each series.
        weight_effective_size: Kish's effective size of the weights: how many conformations carry the ensemble.
        converged: Whether every R-hat is below 1.1; False too when it cannot be told.
    """

    diagnostics: tuple[Diagnostic, ...]
    weight_effective_size: float
    converged: bool

    @property
    def sentence(self) -> str:
        """The verdict in plain words."""
        worst = min(self.diagnostics, key=lambda one: one.effective_samples)
        count = f"{worst.effective_samples:.0f}"
        counted = f"worth about {count} independent conformation{'s' if count != '1' else ''} (by {worst.name})"
        if self.converged:
            return f"The replicas agree (every R-hat below {CONVERGED_R_HAT}); the ensemble is {counted}."
        apart = [f"{one.name} {one.r_hat:.2f}" for one in self.diagnostics if one.r_hat >= CONVERGED_R_HAT]
        why = f"R-hat of {', '.join(apart)}" if apart else "too few conformations a replica to tell"
        return (
            f"NOT CONVERGED: {why} (R-hat is below {CONVERGED_R_HAT} when replicas agree); "
            f"the ensemble is {counted}. Populations are those of this sample, not of the protein."
        )


def judge_sampling(ensemble: Ensemble, observables: Observables) -> SamplingQuality:
    """Diagnose an ensemble by its chains."""
    series = {
        "RMSD": observables.rmsd_to_first,
        "radius of gyration": observables.radius_of_gyration,
    }
    if ensemble.energy_terms:
        series["energy"] = ensemble.total_energies
    diagnostics = tuple(_diagnose(name, _chains(values, ensemble.replica)) for name, values in series.items())
    return SamplingQuality(
        diagnostics=diagnostics,
        weight_effective_size=effective_sample_size(ensemble.weights),
        converged=all(diagnostic.r_hat < CONVERGED_R_HAT for diagnostic in diagnostics),
    )


def _chains(
    values: Float[Tensor, "conformations"], replica: Int[Tensor, "conformations"]
) -> Float[Tensor, "chains draws"]:
    """The series chain by chain, cut to the shortest chain."""
    values, replica = values.double().cpu(), replica.cpu()
    chains = [values[replica == one] for one in replica.unique()]
    shortest = min(len(chain) for chain in chains)
    return torch.stack([chain[:shortest] for chain in chains])


def _diagnose(name: str, chains: Float[Tensor, "chains draws"]) -> Diagnostic:
    r_hat = split_r_hat(chains)
    return Diagnostic(name, r_hat, float(effective_draws(chains)))


def split_r_hat(chains: Float[Tensor, "chains draws"]) -> float:
    """Split R-hat (Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, 11.4); NaN below four draws a chain."""
    half = chains.shape[1] // 2
    if half < 2:
        return float("nan")
    halves = torch.cat((chains[:, :half], chains[:, -half:]))
    within = halves.var(dim=1).mean()
    between = half * halves.mean(dim=1).var()
    if within <= 0:
        return 1.0 if between <= 0 else float("inf")
    return float((((half - 1) / half * within + between / half) / within).sqrt())


def effective_draws(chains: Float[Tensor, "chains draws"]) -> float:
    """Independent draws the chains are worth: Geyer's initial positive sequence of the autocorrelation.

    Source: Geyer, Stat. Sci. 7 (1992) 473; pooled over chains as in Gelman et al. (2013), 11.5.
    """
    count, draws = chains.shape
    if draws < 4:
        return float(count)
    centred = chains - chains.mean(dim=1, keepdim=True)
    spectrum = torch.fft.rfft(centred, n=2 * draws).abs().square()
    covariance = torch.fft.irfft(spectrum)[:, :draws].mean(0) / draws
    between = chains.mean(dim=1).var() if count > 1 else torch.zeros((), dtype=chains.dtype)
    variance = covariance[0] + between
    if variance <= 0:
        return float(count * draws)
    correlation = 1 - (covariance[0] - covariance) / variance
    pairs = correlation[: 2 * (draws // 2)].unflatten(0, (-1, 2)).sum(-1)
    positive = pairs[: int((pairs <= 0).long().argmax()) if (pairs <= 0).any() else len(pairs)]
    time = max(2 * float(positive.sum()) - 1, 1.0)
    return count * draws / time
