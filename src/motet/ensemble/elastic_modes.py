"""Soft modes of Cα in an elastic network of torsions, with how far each moves the chain."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .landscape import Landscape
from .soft_modes import soft_covariance_factor

_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class ElasticModes:
    """Principal components of the thermal motion of Cα, a shift or turn of the whole left out.

    Args:
        factor: L with L Lᵀ the covariance of the free coordinates; L x moves by x standard deviations.
        directions: The modes as orthonormal x, softest first.
        lengths: Root mean square shift of Cα of one standard deviation along each, in Å.
    """

    factor: Float[Tensor, "free free"]
    directions: Float[Tensor, "modes free"]
    lengths: Float[Tensor, "modes"]

    @classmethod
    def of(cls, landscape: Landscape, start: Float[Tensor, "atoms 3"], most: int) -> "ElasticModes":
        """The softest modes of a conformation; none where no Cα moves."""
        factor = soft_covariance_factor(landscape.articulation, start, landscape.ties, landscape.tie_stiffness)
        carbons = _carbons(landscape)
        moved = (landscape.articulation.jacobian(start)[carbons] @ factor).flatten(0, 1)
        if landscape.free:
            rigid = _rigid_motions(start[carbons].double())
            moved = moved - rigid @ (rigid.mT @ moved)
        found = torch.linalg.svd(moved, full_matrices=False)
        kept = _real(found.S)
        lengths = found.S[kept] / max(len(carbons), 1) ** 0.5
        return cls(factor, found.Vh[kept][:most], lengths[:most])

    @property
    def thermal(self) -> Float[Tensor, ""]:
        """Root mean square shift of Cα at the temperature of the covariance, in Å."""
        return self.lengths.square().sum().sqrt()


def _carbons(landscape: Landscape) -> Int[Tensor, "carbons"]:
    carbons = torch.from_numpy(landscape.topology.atom_index("CA").copy())
    return carbons[carbons >= 0].to(landscape.articulation.torsions.device)


def _rigid_motions(points: Float[Tensor, "points 3"]) -> Float[Tensor, "coordinates six"]:
    """Orthonormal shifts and turns of a body, as far as they differ."""
    axes = torch.eye(3, dtype=points.dtype, device=points.device).expand(len(points), 3, 3)
    arm = (points - points.mean(0))[:, None].expand(-1, 3, -1)
    motions = torch.cat((axes, torch.linalg.cross(axes, arm)), dim=1).mT.flatten(0, 1)
    found = torch.linalg.svd(motions, full_matrices=False)
    return found.U[:, _real(found.S)]


def _real(sizes: Float[Tensor, "sizes"]) -> Bool[Tensor, "sizes"]:
    """Those that are not zero, as far as rounding tells."""
    return sizes.gt(_ROUNDING * sizes.sum())
