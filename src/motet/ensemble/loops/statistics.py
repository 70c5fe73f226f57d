"""How likely each pair of backbone torsions is, by kind of residue, from the force field's own table."""

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ...chem import parent_of, read_table
from ...forcefield.contacts import TABLES
from ...geometry.loops import TorsionMaps


def torsion_maps(names: tuple[str, ...], like: Tensor) -> TorsionMaps:
    """A map for each residue but the last, which only says what follows the one before it."""
    kinds = [_kind(parent_of(name) or name, parent_of(after) or after) for name, after in pairwise(names)]
    return TorsionMaps(torch.from_numpy(np.stack([_surfaces()[kind] for kind in kinds])).to(like))


def _kind(residue: str, after: str) -> str:
    if residue == "PRO":
        return "trans_proline"
    if residue == "GLY":
        return "glycine"
    if after == "PRO":
        return "before_proline"
    return "ile_val" if residue in ("ILE", "VAL") else "general"


@cache
def _surfaces() -> dict[str, np.ndarray]:
    """-ln of the density of each kind, rows by φ."""
    grids: dict[str, list[list[float]]] = {}
    for row in read_table("ramachandran.csv", TABLES):
        grids.setdefault(row["class"], []).append([float(value) for value in row["surface"].split()])
    return {kind: np.array(grid) for kind, grid in grids.items()}
