"""The conditions that an energy depends on."""

import math
from dataclasses import dataclass

from ..errors import ConfigError
from ..units import BOLTZMANN, ROOM_TEMPERATURE


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Temperature in K, ionic strength in mol/L, pH.

    Raises:
        ConfigError: One of them is out of range.
    """

    temperature: float = ROOM_TEMPERATURE
    ionic_strength: float = 0.15
    ph: float = 7.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ConfigError(f"temperature={self.temperature} K is not above zero; 298.15 is room temperature.")
        if not (math.isfinite(self.ionic_strength) and self.ionic_strength >= 0):
            raise ConfigError(f"ionic_strength={self.ionic_strength} mol/L is negative; 0.15 is physiological.")
        if not math.isfinite(self.ph):
            raise ConfigError(f"ph={self.ph} is not a number; 7 is neutral.")

    @property
    def thermal_energy(self) -> float:
        """RT in kcal/mol."""
        return BOLTZMANN * self.temperature
