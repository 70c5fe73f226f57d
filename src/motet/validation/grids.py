"""How common a place of the torsions is: the Top8000 grids, and interpolation between their cells."""

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

RAMACHANDRAN = ("general", "glycine", "ile_val", "before_proline", "trans_proline", "cis_proline")
_HALF_TURN = ("asp", "glu", "phetyr")  # whose last torsion repeats after half a turn
_SHARED = {"phe": "phetyr", "tyr": "phetyr"}


@cache
def grids() -> Mapping[str, Float[Tensor, "..."]]:
    """The grids by name: classes of `RAMACHANDRAN` from -180 degrees on, residues in lower case from 0 on."""
    with (files(f"{__package__}.tables") / "top8000.npz").open("rb") as source:
        packed = np.load(source, allow_pickle=False)
        found = {
            name: torch.from_numpy(packed[name].astype(np.float32)) for name in packed.files if name != "source"
        }
    return MappingProxyType(found)


def grid_of(residue: str) -> str | None:
    """Name of the grid that judges the side chain of a standard residue, such as `PHE`; None for GLY and ALA."""
    name = _SHARED.get(residue.lower(), residue.lower())
    return name if name in grids() else None


def share_rarer(name: str, torsions: Float[Tensor, "*batch axes"]) -> Float[Tensor, "*batch"]:
    """Share of well-determined residues that stand somewhere rarer, 0 to 1; linear between the cells' centres.

    Args:
        name: Name of a grid.
        torsions: As many torsions as the grid has axes, in rad.
    """
    grid = grids()[name].to(torsions)
    low = -math.pi if name in RAMACHANDRAN else 0.0
    periods = [math.pi if name in _HALF_TURN and axis == grid.ndim - 1 else math.tau for axis in range(grid.ndim)]
    cells = torsions.new_tensor(grid.shape)
    place = (torsions - low) / torsions.new_tensor(periods) * cells - 0.5
    below = place.floor()
    part = place - below
    total = torsions.new_zeros(torsions.shape[:-1])
    for corner in product((0, 1), repeat=grid.ndim):
        upper = torch.tensor(corner, device=torsions.device)
        share = torch.where(upper.bool(), part, 1 - part).prod(-1)
        index = (below + upper).remainder(cells).long()
        total = total + share * grid[index.unbind(-1)]
    return total
