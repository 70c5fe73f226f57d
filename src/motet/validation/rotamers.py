"""Side-chain torsions against the Top8000 distributions (Hintze et al., Proteins 84 (2016) 1177)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..chem import parent_of
from ..geometry import dihedral
from ..shapes import Coords
from ..structure import Topology
from .grids import grid_of, grids, share_rarer
from .verdicts import judged

FAVOURED, ALLOWED = 0.02, 0.003  # MolProbity's limits


@dataclass(frozen=True, eq=False)
class Rotamers:
    """The side chain of each residue.

    Args:
        chis: In rad; 0 where one does not exist.
        share: Share of well-determined side chains that stand somewhere rarer, 0 to 1.
        verdict: A `Verdict`; alanine and glycine, and side chains with an atom missing, are not judged.
    """

    chis: Float[Tensor, "*batch residues 4"]
    share: Float[Tensor, "*batch residues"]
    verdict: Int[Tensor, "*batch residues"]


def rotamers(topology: Topology, coords: Coords) -> Rotamers:
    """Judge every side chain that has all atoms of its torsions."""
    index = torch.from_numpy(topology.chi_atoms).to(coords.device)
    there = (index >= 0).all(-1)
    corners = (coords[..., corner, :] for corner in index.clamp_min(0).unbind(-1))
    chis = torch.where(there, dihedral(*corners), 0.0)
    share = chis.new_zeros(chis.shape[:-1])
    known = torch.zeros(topology.n_residues, dtype=torch.bool, device=coords.device)
    for grid, rows in _rows(topology).items():
        axes = grids()[grid].ndim
        own = torch.from_numpy(rows).to(coords.device)
        own = own[there[own, :axes].all(-1)]
        share[..., own] = share_rarer(grid, chis[..., own, :axes])
        known[own] = True
    return Rotamers(chis, share, judged(share, known.expand(share.shape), FAVOURED, ALLOWED))


def _rows(topology: Topology) -> dict[str, np.ndarray]:
    """Residues that each grid judges; a modified residue is judged as its parent."""
    names, of_residue = np.unique(topology.residue_names, return_inverse=True)
    judges = np.array([grid_of(parent_of(name) or "") or "" for name in names.tolist()])[of_residue]
    judges[topology.residue_kinds != "protein"] = ""
    return {str(grid): np.flatnonzero(judges == grid) for grid in np.unique(judges) if grid}
