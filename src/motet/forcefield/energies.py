"""Weighted sums of energies, `system + 0.3 * restraint`: they stand with the contracts, for maps have them too."""

from ..shapes import EnergySum as EnergySum
from ..shapes import Summable as Summable
