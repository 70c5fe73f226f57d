"""φ and ψ of each residue against the Top8000 distributions (Hintze et al., Proteins 84 (2016) 1177)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..chem import parent_of
from ..geometry import backbone_torsions
from ..shapes import Coords
from ..structure import Topology
from .grids import RAMACHANDRAN, share_rarer
from .verdicts import judged

FAVOURED = 0.02
# Below these shares a residue is an outlier: MolProbity's limits, 0.05 % for the class with most data.
ALLOWED = dict.fromkeys(RAMACHANDRAN, 0.001) | {"general": 0.0005, "cis_proline": 0.002}


@dataclass(frozen=True, eq=False)
class Ramachandran:
    """The backbone of each residue.

    Args:
        phi: In rad; 0 where it does not exist.
        psi: In rad; 0 where it does not exist.
        kind: Index into `RAMACHANDRAN` of the distribution that judges it; -1 for none.
        share: Share of well-determined residues that stand somewhere rarer, 0 to 1.
        verdict: A `Verdict`.
    """

    phi: Float[Tensor, "*batch residues"]
    psi: Float[Tensor, "*batch residues"]
    kind: Int[Tensor, "*batch residues"]
    share: Float[Tensor, "*batch residues"]
    verdict: Int[Tensor, "*batch residues"]


def ramachandran(topology: Topology, coords: Coords) -> Ramachandran:
    """Judge φ and ψ of every residue that has both; D-residues, which visit the mirror image, are left out."""
    torsions = backbone_torsions(topology, coords)
    phi, psi = torsions.phi, torsions.psi
    exists = (torsions.exists[:, 0] & torsions.exists[:, 1]).cpu().numpy()
    fixed = torch.from_numpy(np.where(exists, _kinds(topology), -1)).to(coords.device)
    kind = fixed.expand(phi.shape).clone()
    before = torsions.omega.roll(1, -1)  # about the bond to the residue before
    trans, cis = RAMACHANDRAN.index("trans_proline"), RAMACHANDRAN.index("cis_proline")
    kind[(kind == trans) & (before.abs() < math.pi / 2)] = cis
    share = torch.zeros_like(phi)
    both = torch.stack((phi, psi), -1)
    for index, name in enumerate(RAMACHANDRAN):
        own = kind == index
        share[own] = share_rarer(name, both[own])
    limits = phi.new_tensor([ALLOWED[name] for name in RAMACHANDRAN])[kind.clamp_min(0)]
    return Ramachandran(phi, psi, kind, share, judged(share, kind >= 0, FAVOURED, limits))


def _kinds(topology: Topology) -> np.ndarray:
    """Class of each residue by its name and the one that follows, prolines as trans; -1 for none."""
    names, of_residue = np.unique(topology.residue_names, return_inverse=True)
    parents = np.array([parent_of(name) or "" for name in names.tolist()])[of_residue]
    after = np.where(np.roll(topology.follows, -1), np.roll(parents, -1), "")
    choices = [
        ((parents == "") | (topology.residue_kinds != "protein"), None),
        (parents == "PRO", "trans_proline"),
        (parents == "GLY", "glycine"),
        (after == "PRO", "before_proline"),
        (np.isin(parents, ("ILE", "VAL")), "ile_val"),
    ]
    numbers = [-1 if name is None else RAMACHANDRAN.index(name) for _, name in choices]
    return np.select([where for where, _ in choices], numbers, RAMACHANDRAN.index("general"))
