"""Saturation concentration by mean field: the chain's mean second virial coefficient as a Flory-Huggins χ."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from .binodal import critical_interaction, log_dilute_fraction
from .coarse import PairVirial

SHORTEST = 2.0  # segments; a chain of one has no critical point of its own
_MARGIN = 0.05  # of χ above its critical value: below it the concentration goes on rising, ever more slowly
_REFERENCE = -130.0  # Å³, near the mean virial of disordered proteins, so that the parameters stay independent


class Saturation(nn.Module):
    """ln c_sat in µM of chains whose residues meet at random: Flory (1942), Huggins (1942); six numbers fitted.

    χ = χ₀ - k (contact + a·excluded + b·charge + 130 Å³); the charge's part saturates, as ions gather around a
    chain that carries much of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(16.0))
        self.neutral = nn.Parameter(torch.tensor(0.9))
        self._log_gain = nn.Parameter(torch.tensor(0.002).log())
        self._log_excluded = nn.Parameter(torch.tensor(0.3).log())
        self._log_charge = nn.Parameter(torch.tensor(1.0).log())
        self._log_most_charge = nn.Parameter(torch.tensor(12.0).log())

    def forward(
        self,
        virial: PairVirial,
        composition: Float[Tensor, "proteins 20"],
        segments: Float[Tensor, "proteins"],
    ) -> Float[Tensor, "proteins"]:
        """ln of the saturation concentration in µM; finite and falling with attraction everywhere.

        Args:
            virial: Of each pair of residue types, at the conditions.
            composition: Share of each type among the segments.
            segments: Residues that take part.
        """
        return self.at_interaction(self.interaction(virial, composition), segments)

    def at_interaction(
        self, chi: Float[Tensor, "proteins"], segments: Float[Tensor, "proteins"]
    ) -> Float[Tensor, "proteins"]:
        """ln of the saturation concentration in µM of chains of this χ."""
        segments = segments.clamp_min(SHORTEST)
        critical = critical_interaction(segments)
        parting = critical + 1e-3 + _MARGIN * softplus((chi - critical) / _MARGIN)
        return self.log_scale + log_dilute_fraction(segments, parting) - segments.log()

    def interaction(
        self, virial: PairVirial, composition: Float[Tensor, "proteins 20"]
    ) -> Float[Tensor, "proteins"]:
        """χ of a chain of this composition."""

        def mean(part: Tensor) -> Tensor:
            return ((composition @ part) * composition).sum(-1)

        most = self._log_most_charge.exp()
        charge = most * torch.tanh(mean(virial.charge) / most)
        excluded = self._log_excluded.exp() * mean(virial.excluded)
        effective = mean(virial.contact) + excluded + self._log_charge.exp() * charge - _REFERENCE
        return self.neutral - self._log_gain.exp() * effective


def micromolar(log_concentration: float) -> float:
    """µM of its logarithm; infinite beyond what a number holds."""
    return math.exp(log_concentration) if log_concentration < 700.0 else math.inf
