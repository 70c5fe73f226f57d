"""A map whose fine detail is noise of the same power: what a model fits of it, it overfits.

Source: Chen et al., Ultramicroscopy 135 (2013) 24.
"""

import torch

from .fourier import frequencies
from .map import DensityMap


def phase_randomised(density: DensityMap, resolution: float, seed: int = 0) -> DensityMap:
    """The map with its own amplitudes, and random phases beyond a resolution in Å."""
    noise = torch.Generator().manual_seed(seed)
    grid = density.grid
    # Phases of a real map of noise have the symmetry that phases of real maps have.
    white = torch.randn(grid.shape, generator=noise, dtype=torch.float64).to(density.density.device)
    phases = torch.angle(torch.fft.rfftn(white)).to(density.density)
    waves = torch.fft.rfftn(density.density)
    beyond = frequencies(grid, density.density) > 1 / resolution
    waves = torch.where(beyond, torch.polar(waves.abs(), phases), waves)
    return density.with_density(torch.fft.irfftn(waves, s=grid.shape))
