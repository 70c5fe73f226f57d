"""Boltzmann's factor, and what it leaves of the sample."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..units import BOLTZMANN


def boltzmann_weights(
    energies: Float[Tensor, "conformations"],
    temperature: float,
    log_proposal: Float[Tensor, "conformations"] | None = None,
) -> Float[Tensor, "conformations"]:
    """Normalised weights exp(-E/kT) over the density that proposed the conformations.

    Only for conformations that were *not* drawn from Boltzmann's law: those have equal weights already.

    Args:
        energies: In kcal/mol.
        temperature: In K.
        log_proposal: ln of the proposal's density at each conformation, up to a constant; flat when left out.
    """
    logits = -energies / (BOLTZMANN * temperature)
    return torch.softmax(logits if log_proposal is None else logits - log_proposal, dim=0)


def effective_sample_size(weights: Float[Tensor, "conformations"]) -> float:
    """Kish's effective size (Σw)² / Σw²: the number of equal conformations these weights are worth."""
    weights = weights.double()
    return float(weights.sum().square() / weights.square().sum())
