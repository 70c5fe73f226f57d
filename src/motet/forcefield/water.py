"""Water with salt in it."""

import math

from ..units import BOLTZMANN, COULOMB

_PER_CUBIC_ANGSTROM = 6.02214076e-4  # particles in 1 Å³ of a molar solution


def dielectric(temperature: float) -> float:
    """Static dielectric constant of water between 0 and 100 °C: Malmberg, Maryott, J. Res. NBS 56 (1956) 1.

    Outside that range the value at its end.
    """
    celsius = min(max(temperature - 273.15, 0.0), 100.0)
    return 87.740 - 0.40008 * celsius + 9.398e-4 * celsius**2 - 1.410e-6 * celsius**3


def debye_length(temperature: float, ionic_strength: float) -> float:
    """Distance in Å over which salt (mol/L) screens charges in water: 7.8 at 0.15 and 298 K."""
    if ionic_strength == 0:
        return math.inf
    density = 2.0 * ionic_strength * _PER_CUBIC_ANGSTROM
    return math.sqrt(dielectric(temperature) * BOLTZMANN * temperature / (4.0 * math.pi * COULOMB * density))
