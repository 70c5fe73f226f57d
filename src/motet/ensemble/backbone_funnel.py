"""A Ramachandran surface that leads home: walls that rise where the force field's own surface is flat.

How often proteins are seen at φ and ψ says nothing of the way back from where they never are: there the surface
is a plateau, and a minimiser stays on it. Beyond its foot this one rises with the distance to the nearest place
that is seen.
"""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from ..forcefield.surface import spline_coefficients
from ..forcefield.terms import BackboneEntropy

FOOT = 1.0  # RT: lower places are home; a density of a third of the uniform one
SLOPE = 10.0  # RT a radian, the way out


def backbone_funnel() -> BackboneEntropy:
    """The term of the force field, with the walls."""
    term = BackboneEntropy()
    with torch.no_grad():
        term.coefficients.copy_(torch.from_numpy(_walled(term.coefficients.double().numpy())))
    return term


def _walled(coefficients: np.ndarray) -> np.ndarray:
    """Coefficients of each surface with its walls."""
    heights = coefficients
    for axis in (-2, -1):  # of a cubic B-spline at its nodes
        heights = (np.roll(heights, 1, axis) + 4 * heights + np.roll(heights, -1, axis)) / 6
    away = np.stack([_way_home(one < FOOT) for one in heights])
    return spline_coefficients(heights + SLOPE * away)


def _way_home(home: np.ndarray) -> np.ndarray:
    """Distance in rad of each node of a torus to the nearest that is home."""
    nodes = home.shape[-1]
    around = np.asarray(distance_transform_edt(~np.tile(home, (3, 3))))
    return around[nodes : 2 * nodes, nodes : 2 * nodes] * (2 * np.pi / nodes)
