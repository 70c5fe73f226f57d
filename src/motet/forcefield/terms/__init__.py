"""Energy terms, one file each: `Term` says what one is, `TERMS` which there are, in the order of every table."""

from collections.abc import Callable

from .clash import Clash as Clash
from .covalent import Covalent as Covalent
from .disulfide import Disulfide as Disulfide
from .electrostatics import Electrostatics as Electrostatics
from .entropy_backbone import BackboneEntropy as BackboneEntropy
from .entropy_sidechain import SideChainEntropy as SideChainEntropy
from .hydrogen_bond import HydrogenBond as HydrogenBond
from .metal import Metal as Metal
from .pi import Pi as Pi
from .rotamer import Rotamer as Rotamer
from .solvation_hydrophobic import HydrophobicSolvation as HydrophobicSolvation
from .solvation_polar import PolarSolvation as PolarSolvation
from .term import Term as Term
from .unfolded import Unfolded as Unfolded
from .vdw import VanDerWaals as VanDerWaals
from .water_bridge import WaterBridge as WaterBridge

TERMS: tuple[Callable[[], Term], ...] = (
    VanDerWaals,
    Clash,
    HydrogenBond,
    Electrostatics,
    PolarSolvation,
    HydrophobicSolvation,
    BackboneEntropy,
    SideChainEntropy,
    Rotamer,
    Disulfide,
    Pi,
    WaterBridge,
    Metal,
    Covalent,
    Unfolded,
)
