"""Cryo-EM maps: read in place, rendered from atoms, compared with models, and turned into energies.

density = DensityMap.read("map.mrc")
calculated = render(structure.coords, scatterers_of(structure.topology), b_factors, occupancies, density.grid)
"""

from .correlation import ShellCorrelation as ShellCorrelation
from .correlation import correlation as correlation
from .correlation import fourier_shell_correlation as fourier_shell_correlation
from .fourier import blurred as blurred
from .fourier import low_pass as low_pass
from .fourier import resampled as resampled
from .grid import Grid as Grid
from .map import DensityMap as DensityMap
from .map import trilinear as trilinear
from .masks import model_mask as model_mask
from .masks import soft_mask as soft_mask
from .masks import van_der_waals_radii as van_der_waals_radii
from .render import render as render
from .scattering import Scatterers as Scatterers
from .scattering import scatterers_of as scatterers_of
