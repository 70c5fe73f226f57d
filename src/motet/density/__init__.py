"""Cryo-EM maps: read in place, rendered from atoms, compared with models, and turned into energies.

density = DensityMap.read("map.mrc")
calculated = render(structure.coords, scatterers_of(structure.topology), b_factors, occupancies, density.grid)
"""

from .b_factors import fit_b_factors as fit_b_factors
from .b_factors import fit_overall_b as fit_overall_b
from .correlation import ShellCorrelation as ShellCorrelation
from .correlation import correlation as correlation
from .correlation import fourier_shell_correlation as fourier_shell_correlation
from .docking import Placements as Placements
from .docking import dock as dock
from .fourier import blurred as blurred
from .fourier import low_pass as low_pass
from .fourier import resampled as resampled
from .grid import Grid as Grid
from .map import DensityMap as DensityMap
from .map import trilinear as trilinear
from .masks import model_mask as model_mask
from .masks import soft_mask as soft_mask
from .masks import van_der_waals_radii as van_der_waals_radii
from .model_density import MixtureDensity as MixtureDensity
from .model_density import ModelDensity as ModelDensity
from .phases import phase_randomised as phase_randomised
from .render import render as render
from .scattering import Scatterers as Scatterers
from .scattering import scatterers_of as scatterers_of
from .targets import InterpolatedDensity as InterpolatedDensity
from .targets import MapCorrelation as MapCorrelation
from .targets import ShellLikelihood as ShellLikelihood
from .targets import balance as balance
