"""What it costs to take water away from atoms that bond with it."""

from typing import ClassVar

from .solvation import Solvation


class PolarSolvation(Solvation):
    """Burying nitrogen and oxygen costs; a hydrogen bond pays it back, and a polar atom without one loses."""

    name: ClassVar[str] = "solvation_polar"
    column: ClassVar[str] = "polar_kcal_mol"
    sign: ClassVar[float] = 1.0
