"""How likely each pair of backbone torsions is: in loops, to draw from, and in all proteins, to judge by."""

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ...chem import RESIDUES, parent_of, read_table
from ...forcefield.contacts import TABLES
from ...geometry.loops import TorsionMaps

_LOOP_TABLES = f"{__package__}.tables"


def loop_maps(names: tuple[str, ...], like: Tensor) -> TorsionMaps:
    """Maps of residues in loops, one for each but the last, which only says what follows the one before it."""
    kinds = [_kind_in_loops(_parent(name), _parent(after)) for name, after in pairwise(names)]
    return _stacked("loop_torsions.csv", _LOOP_TABLES, kinds, like)


def ramachandran_maps(names: tuple[str, ...], like: Tensor) -> TorsionMaps:
    """The force field's own maps of the same residues."""
    kinds = [_class(_parent(name), _parent(after)) for name, after in pairwise(names)]
    return _stacked("ramachandran.csv", TABLES, kinds, like)


def _parent(name: str) -> str:
    return parent_of(name) or name


def _kind_in_loops(residue: str, after: str) -> str:
    if after == "PRO" and residue not in ("GLY", "PRO"):
        return "before_proline"
    known = RESIDUES.get(residue)
    return known.letter if known and known.letter in _surfaces("loop_torsions.csv", _LOOP_TABLES) else "A"


def _class(residue: str, after: str) -> str:
    if residue == "PRO":
        return "trans_proline"
    if residue == "GLY":
        return "glycine"
    if after == "PRO":
        return "before_proline"
    return "ile_val" if residue in ("ILE", "VAL") else "general"


def _stacked(table: str, package: str, kinds: list[str], like: Tensor) -> TorsionMaps:
    surfaces = _surfaces(table, package)
    return TorsionMaps(torch.from_numpy(np.stack([surfaces[kind] for kind in kinds])).to(like))


@cache
def _surfaces(table: str, package: str) -> dict[str, np.ndarray]:
    """-ln of the density of each kind, rows by φ."""
    grids: dict[str, list[list[float]]] = {}
    for row in read_table(table, package):
        grids.setdefault(row["class"], []).append([float(value) for value in row["surface"].split()])
    return {kind: np.array(grid) for kind, grid in grids.items()}
