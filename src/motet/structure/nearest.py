"""The nearest atoms to some places; never all distances, so that atoms on top of each other cost no N² memory."""

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from scipy.spatial import KDTree
from torch import Tensor

from .topology import Integers


def nearest_atoms(
    places: Float[Tensor, "models atoms 3"], centres: Float[Tensor, "models rows 3"], most: int
) -> tuple[Float[Tensor, "models rows near"], Int[Tensor, "models rows near"]]:
    """Distance (Å) and index of the atoms nearest to each centre, nearest first; all of them if there are fewer.

    A tree for each model, on the CPU: nothing is differentiated. Places that are not finite are far away.
    """
    count = min(most, places.shape[1])
    found = [_query(atoms, asking, count) for atoms, asking in zip(_finite(places), _finite(centres), strict=True)]
    distance = torch.from_numpy(np.stack([one for one, _ in found])).to(places)
    index = torch.from_numpy(np.stack([one for _, one in found])).to(places.device)
    return distance, index


def near_pairs(
    points: Float64[np.ndarray, "points 3"], among: Float64[np.ndarray, "among 3"], most: int, reach: float
) -> tuple[Integers, Integers, Float64[np.ndarray, "pairs"]]:
    """Pairs (point, other) closer than `reach` Å and their distances, at most `most` a point, nearest first.

    All places must be finite.
    """
    if not len(points) or not len(among):
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0)
    answer = KDTree(among).query(points, k=max(most, 2), distance_upper_bound=reach)
    distance, other = np.asarray(answer[0]), np.asarray(answer[1], dtype=np.int64)
    rows, columns = np.nonzero(np.isfinite(distance))  # beyond the last neighbour they are at infinity
    return rows, other[rows, columns], distance[rows, columns]


def apart_groups(places: Float[Tensor, "models rows 3"], reach: float) -> list[int]:
    """A group for each row, as few as a greedy choice finds, such that no two of a group come within `reach` Å."""
    beside: list[set[int]] = [set() for _ in range(places.shape[1])]
    for model in _finite(places) if beside else ():
        for i, j in KDTree(model).query_pairs(reach):
            beside[i].add(j)
            beside[j].add(i)
    groups: list[int] = []
    for row, others in enumerate(beside):
        taken = {groups[other] for other in others if other < row}
        groups.append(next(number for number in range(len(taken) + 1) if number not in taken))
    return groups


def _query(atoms: np.ndarray, asking: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    found = KDTree(atoms).query(asking, k=count)
    shape = (len(asking), count)
    return np.reshape(np.asarray(found[0]), shape), np.reshape(np.asarray(found[1], dtype=np.int64), shape)


def _finite(places: Tensor) -> np.ndarray:
    return np.nan_to_num(places.detach().double().cpu().numpy(), nan=1e6, posinf=1e6, neginf=-1e6)
