"""Refinement against a cryo-EM map: the density is one more energy.

refined = Refinement(structure, ForceField().bind(structure), density, RefinementPlan(resolution=3.2)).run()
"""

from .guided import Guided as Guided
from .mixture import fitted_shares as fitted_shares
from .mixture import refine_mixture as refine_mixture
from .overfitting import OverfittingTest as OverfittingTest
from .placing import Placed as Placed
from .placing import place as place
from .refine import Measured as Measured
from .refine import Refined as Refined
from .refine import Refinement as Refinement
from .refine import RefinementPlan as RefinementPlan
