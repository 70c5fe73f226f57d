"""Energy terms, one file each: `Term` says what one is, `TERMS` which there are, in the order of every table."""

from collections.abc import Callable

from .clash import Clash as Clash
from .covalent import Covalent as Covalent
from .electrostatics import Electrostatics as Electrostatics
from .entropy_backbone import BackboneEntropy as BackboneEntropy
from .hydrogen_bond import HydrogenBond as HydrogenBond
from .term import Term as Term
from .vdw import VanDerWaals as VanDerWaals

TERMS: tuple[Callable[[], Term], ...] = (
    VanDerWaals,
    Clash,
    HydrogenBond,
    Electrostatics,
    Covalent,
    BackboneEntropy,
)
