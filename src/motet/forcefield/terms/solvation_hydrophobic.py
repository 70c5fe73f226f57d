"""What is gained by taking carbon and sulphur out of water."""

from typing import ClassVar

from .solvation import Solvation


class HydrophobicSolvation(Solvation):
    """Burying carbon and sulphur pays."""

    name: ClassVar[str] = "solvation_hydrophobic"
    column: ClassVar[str] = "hydrophobic_kcal_mol"
    sign: ClassVar[float] = -1.0
