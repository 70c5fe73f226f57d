"""Nearest points, never more than asked for, so that atoms on top of each other cost no N² memory."""

import numpy as np
from scipy.spatial import KDTree

from ..structure.topology import Integers
from .atom_table import Floats


def nearest(points: Floats, among: Floats, count: int, reach: float) -> tuple[Integers, Integers, Floats]:
    """Pairs (point, neighbour) closer than `reach` and their distances, at most `count` a point, nearest first."""
    if not len(points) or not len(among):
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0)
    answer = KDTree(among).query(points, k=max(count, 2), distance_upper_bound=reach)
    distance, other = np.asarray(answer[0]), np.asarray(answer[1])
    rows, columns = np.nonzero(np.isfinite(distance))  # points beyond the last are at infinity
    return rows, other[rows, columns], distance[rows, columns]
