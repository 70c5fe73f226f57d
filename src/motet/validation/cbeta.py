"""How far Cβ stands from where N, CA and C want it (Lovell et al., Proteins 50 (2003) 437)."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..chem import parent_of, read_table
from ..shapes import Coords
from ..structure import Topology
from ..structure.placement import place

OUTLIER = 0.25  # Å


@dataclass(frozen=True, eq=False)
class CBeta:
    """Cβ of each residue.

    Args:
        deviation: Distance from the ideal place, in Å; 0 where there is no Cβ.
        exists: Which residues have one, and the backbone to judge it by.
    """

    deviation: Float[Tensor, "*batch residues"]
    exists: Bool[Tensor, "residues"]

    @property
    def outlier(self) -> Bool[Tensor, "*batch residues"]:
        """A quarter of an Å away, or more."""
        return self.deviation >= OUTLIER


def cbeta(topology: Topology, coords: Coords) -> CBeta:
    """Deviation of every Cβ; of D-residues none, whose Cβ is on the other side."""
    names, of_residue = np.unique(topology.residue_names, return_inverse=True)
    parents = [parent_of(name) or "" for name in names.tolist()]
    index = np.stack([topology.atom_index(name) for name in ("N", "CA", "C", "CB")])
    known = np.array([bool(parent) for parent in parents])[of_residue]
    exists = (index >= 0).all(0) & (topology.residue_kinds == "protein") & known
    rows = np.flatnonzero(exists)
    ideal = coords.new_tensor(np.array([_ideal(parent) for parent in parents])[of_residue[rows]].reshape(-1, 5))
    n, ca, c, cb = (coords[..., torch.from_numpy(atom[rows]).to(coords.device), :] for atom in index)
    length, at_c, about_c, at_n, about_n = ideal.unbind(-1)
    shape = ca.shape[:-1]
    seen_from_n = place(n, c, ca, *(value.expand(shape) for value in (length, at_c, about_c)))
    seen_from_c = place(c, n, ca, *(value.expand(shape) for value in (length, at_n, about_n)))
    away = (seen_from_n + seen_from_c) / 2 - ca
    wanted = ca + length[:, None] * away / away.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    deviation = coords.new_zeros((*coords.shape[:-2], topology.n_residues))
    deviation[..., torch.from_numpy(rows).to(coords.device)] = (cb - wanted).norm(dim=-1)
    return CBeta(deviation, torch.from_numpy(exists).to(coords.device))


@cache
def _ideal(parent: str) -> tuple[float, ...]:
    """Length in Å; angle and torsion from C and from N, in rad."""
    rows = read_table("cbeta.csv", f"{__package__}.tables")
    row = next((row for row in rows if parent in row["residues"].split()), rows[-1])
    length, *angles = (float(value) for value in list(row.values())[1:])
    return length, *(math.radians(angle) for angle in angles)
