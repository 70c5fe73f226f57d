"""From proposals to populations, or to the honest refusal of them: energy over proposal, with Pareto k̂."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...units import BOLTZMANN
from ..pareto import TRUSTED, pareto_smoothed
from ..weights import effective_sample_size

_FLOOR = 0.05  # of the variance of the cloud: the least a state is taken to be wide


@dataclass(frozen=True, eq=False)
class Weighing:
    """Weights of members, and whether they mean anything.

    Args:
        weights: They sum to 1; equal where refused.
        k: Pareto k̂ of the importance weights.
        effective: Effective sample size of the importance weights, smoothed.
        refused: Whether k̂ is above 0.7, so that populations are not given.
    """

    weights: Float[Tensor, "members"]
    k: float
    effective: float
    refused: bool

    @property
    def reason(self) -> str:
        """The verdict in words."""
        about = f"Pareto k̂ = {self.k:.2f}, {self.effective:.1f} effective members of {len(self.weights)}"
        if self.refused:
            return f"populations are refused ({about}; k̂ must be at most {TRUSTED}): states are named, not weighed"
        return f"members are weighed by energy over proposal ({about})"


def weigh(
    energies: Float[Tensor, "members"],
    points: Float[Tensor, "members dims"],
    labels: Int[Tensor, "members"],
    temperature: float,
) -> Weighing:
    """Weights exp(-E/kT) / q, where q is a mixture of Gaussians fitted to the members, one a state.

    Args:
        energies: Of the relaxed members, in kcal/mol.
        points: Members in the coordinates in which the proposal is described: their principal components.
        labels: State of each member.
        temperature: In K.
    """
    log_weights = -energies.double() / (BOLTZMANN * temperature) - log_proposal(points.double(), labels)
    smoothed = pareto_smoothed(log_weights)
    effective = effective_sample_size(smoothed.weights)
    if smoothed.trusted:
        return Weighing(smoothed.weights, smoothed.k, effective, refused=False)
    equal = torch.full_like(smoothed.weights, 1 / len(labels))
    return Weighing(equal, smoothed.k, effective, refused=True)


def log_proposal(
    points: Float[Tensor, "members dims"], labels: Int[Tensor, "members"]
) -> Float[Tensor, "members"]:
    """ln of the density of the members at each: Gaussians with full covariances, weighed by the states' sizes."""
    floor = (_FLOOR * points.var(0, correction=0)).clamp_min(torch.finfo(points.dtype).eps)
    parts = []
    for state in labels.unique().tolist():
        mine = points[labels == state]
        apart = mine - mine.mean(0)
        covariance = apart.T @ apart / len(mine) + torch.diag(floor)
        density = torch.distributions.MultivariateNormal(mine.mean(0), covariance)
        parts.append(density.log_prob(points) + torch.tensor(len(mine) / len(points), dtype=points.dtype).log())
    return torch.stack(parts).logsumexp(0)
