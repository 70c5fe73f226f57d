"""The residue-level energy: Ashbaugh-Hatch contacts and screened charges, as what they do to a solution.

A pair of residues acts on a dilute solution through its second virial coefficient, which falls into three parts:
the volume that two residues keep from each other, the contacts they make, and their charges.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..chem.tables import read_table
from ..forcefield import Conditions
from ..units import COULOMB
from .sequences import LETTERS

WELL = 0.2  # kcal/mol, depth of the Ashbaugh-Hatch well at stickiness 1 (CALVADOS 2)
REACH = 60.0  # Å; beyond it both energies have died away
POINTS = 400
AVOGADRO = 6.02214076e-4  # molecules in Å³ of a solution of 1 mol/L
_LARGEST = 1.5  # of a stickiness


class PairVirial(NamedTuple):
    """What each pair of residue types adds to the second virial coefficient, in Å³; the sum of the three is B₂."""

    excluded: Float[Tensor, "20 20"]
    contact: Float[Tensor, "20 20"]
    charge: Float[Tensor, "20 20"]


class CoarseEnergy(nn.Module):
    """CALVADOS 2 as the start: Tesei, Lindorff-Larsen, Open Res. Europe 2 (2023) 94; its numbers can be learnt."""

    formal: Float[Tensor, "20"]
    pka: Float[Tensor, "20"]
    distances: Float[Tensor, "points"]

    def __init__(self) -> None:
        super().__init__()
        rows = {row["residue"]: row for row in read_table("residues.csv", f"{__package__}.tables")}

        def column(name: str) -> Tensor:
            return torch.tensor([float(rows[letter][name]) for letter in LETTERS])

        start = column("stickiness").clamp(0.01, _LARGEST - 0.01) / _LARGEST
        self._raw_stickiness = nn.Parameter(torch.logit(start))
        self._log_diameter = nn.Parameter(column("diameter").log())
        self.register_buffer("formal", column("charge"), persistent=False)
        self.register_buffer("pka", column("pka"), persistent=False)
        self.register_buffer("distances", torch.linspace(3.0, REACH, POINTS), persistent=False)

    @property
    def stickiness(self) -> Float[Tensor, "20"]:
        """λ of each residue type, between 0 and 1.5."""
        return _LARGEST * self._raw_stickiness.sigmoid()

    @property
    def diameter(self) -> Float[Tensor, "20"]:
        """σ of each residue type, in Å."""
        return self._log_diameter.exp()

    def charges(self, conditions: Conditions) -> Float[Tensor, "20"]:
        """Mean charge of each residue type at the pH, in e (Henderson and Hasselbalch)."""
        exponent = self.formal * (conditions.ph - self.pka)
        return self.formal / (1.0 + 10.0 ** exponent.clamp(-20.0, 20.0))

    def contact_energy(self) -> Float[Tensor, "20 20"]:
        """Depth of the well of each pair, in kcal/mol; negative attracts."""
        return -WELL * 0.5 * (self.stickiness[:, None] + self.stickiness)

    def virial(self, conditions: Conditions) -> PairVirial:
        """The three parts of B₂ of each pair of residues."""
        diameter = 0.5 * (self.diameter[:, None] + self.diameter)
        r = self.distances[:, None, None]
        outside = torch.sigmoid((r - diameter) / 0.05)  # a step at contact, but with a gradient
        shell = 2.0 * math.pi * r.square() * (self.distances[1] - self.distances[0]) * outside
        sixth = (diameter / r) ** 6
        depth = -self.contact_energy()
        well = torch.where(r < 2.0 ** (1.0 / 6.0) * diameter, -depth, 4.0 * depth * (sixth.square() - sixth))
        contact = -(shell * torch.expm1(-well / conditions.thermal_energy)).sum(0)
        bjerrum, screening = bjerrum_length(conditions), debye_length(conditions)
        screened = (shell * bjerrum * torch.exp(-r / screening) / r).sum(0)
        charges = self.charges(conditions)
        return PairVirial(2.0 * math.pi / 3.0 * diameter**3, contact, charges[:, None] * charges * screened)


def water_dielectric(temperature: float) -> float:
    """Relative permittivity of water: Akerlof and Oshry, J. Am. Chem. Soc. 72 (1950) 2844."""
    t = temperature
    return 5321.0 / t + 233.76 - 0.9297 * t + 1.417e-3 * t**2 - 8.292e-7 * t**3


def bjerrum_length(conditions: Conditions) -> float:
    """Distance at which two unit charges in water hold each other with kT, in Å."""
    return COULOMB / (water_dielectric(conditions.temperature) * conditions.thermal_energy)


def debye_length(conditions: Conditions) -> float:
    """Distance over which salt screens charges, in Å; 100 Å when there is next to none."""
    density = 2.0 * AVOGADRO * conditions.ionic_strength
    return min(100.0, (4.0 * math.pi * bjerrum_length(conditions) * density + 1e-12) ** -0.5)
