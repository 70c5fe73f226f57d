"""A free energy of proteins: learnable terms (`ForceField`), bound to atoms (`System`), in kcal/mol.

system = ForceField().bind(structure)
energy = system(structure.coords)
"""

from .bond_lengths import ideal_bond_lengths as ideal_bond_lengths
from .compiled import CompiledSystem as CompiledSystem
from .conditions import Conditions as Conditions
from .energies import EnergySum as EnergySum
from .field import ForceField as ForceField
from .openmm_energy import OpenMMEnergy as OpenMMEnergy
from .restraints import DistanceRestraint as DistanceRestraint
from .restraints import PositionRestraint as PositionRestraint
from .restraints import RmsdRestraint as RmsdRestraint
from .restraints import TorsionRestraint as TorsionRestraint
from .system import EnergyTable as EnergyTable
from .system import System as System
from .terms import TERMS as TERMS
from .terms import Term as Term
