"""How a protein gives way to forces: as a network of springs between near Cα.

A pull at two residues moves whole domains along the soft modes, which is what changes of state are made of: linear
response (Ikeguchi et al., Phys. Rev. Lett. 94 (2005) 078102) of the anisotropic network model (Atilgan et al.,
Biophys. J. 80 (2001) 505).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SPRING = 15.0  # Å: Cα this near are tied
SURROUNDINGS = 10.0  # Å: a residue turns as what lies so near moves around it
OWN = 1e-3  # of the mean stiffness: what holds each residue where it is, so that nothing flies away


@dataclass(frozen=True, eq=False)
class ElasticResponse:
    """Shifts and turns of residues under forces on them.

    Args:
        factor: Cholesky factor of the network's Hessian, of unit springs.
        near: 1 where two residues are in each other's surroundings.
        apart: From each residue to each other, in Å.
        inertia: Inverse of Σ (d² - d dᵀ) over the surroundings of each residue.
    """

    factor: Float[Tensor, "coordinates coordinates"]
    near: Float[Tensor, "residues residues"]
    apart: Float[Tensor, "residues residues 3"]
    inertia: Float[Tensor, "residues 3 3"]

    @classmethod
    def of(cls, carbons: Float[Tensor, "residues 3"]) -> "ElasticResponse":
        """The network of a structure, from its Cα in Å."""
        carbons = carbons.double()
        apart = carbons - carbons[:, None]
        squared = apart.square().sum(-1)
        outer = apart[..., :, None] * apart[..., None, :]
        tied = (squared < SPRING**2) & (squared > 0)
        blocks = -outer * (tied / squared.where(tied, torch.ones_like(squared)))[..., None, None]
        blocks.diagonal(dim1=0, dim2=1).copy_(-blocks.sum(1).movedim(0, -1))
        hessian = blocks.transpose(1, 2).reshape(carbons.numel(), carbons.numel())
        hessian.diagonal().add_(OWN * hessian.diagonal().mean() + torch.finfo(torch.float64).tiny)
        near = (squared < SURROUNDINGS**2).double()
        unit = torch.eye(3, dtype=torch.float64, device=carbons.device)
        inertia = (near[..., None, None] * (squared[..., None, None] * unit - outer)).sum(1) + unit
        return cls(torch.linalg.cholesky(hessian), near, apart, torch.linalg.inv(inertia))

    def shifts(
        self, forces: Float[Tensor, "conformations residues 3"]
    ) -> Float[Tensor, "conformations residues 3"]:
        """Where forces of any unit on residues take them, the residue that moves most by one Å."""
        moved = torch.cholesky_solve(forces.double().flatten(1).T, self.factor).T.reshape(forces.shape)
        farthest = moved.norm(dim=-1).amax(-1).clamp_min(torch.finfo(moved.dtype).tiny)
        return (moved / farthest[:, None, None]).to(forces.dtype)

    def turns(
        self, shifts: Float[Tensor, "conformations residues 3"]
    ) -> Float[Tensor, "conformations residues 3"]:
        """The rotation of each residue's surroundings by least squares, as axis times angle in rad."""
        moved = shifts.double()
        around = (self.near[..., None] * self.apart)[None]
        torque = torch.linalg.cross(around, moved[:, None] - moved[:, :, None]).sum(2)
        return (self.inertia @ torque[..., None]).squeeze(-1).to(shifts.dtype)
