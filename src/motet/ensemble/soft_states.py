"""Soft modes of a state: the few directions along which its members spread."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..cluster import SESC
from ..geometry import superposed_to_mean

FEWEST = 10  # members from which directions can be told
_MOST_COMPONENTS = 50


@dataclass(frozen=True, eq=False)
class SoftModes:
    """The subspace of a state, after superposition of its members on their own mean.

    Args:
        directions: Unit displacement of each Cα, widest first.
        variances: Variance along each direction, in Å².
        explained: Share of the state's variance along each.
    """

    directions: Float[Tensor, "modes residues 3"]
    variances: Float[Tensor, "modes"]
    explained: Float[Tensor, "modes"]

    def __len__(self) -> int:
        return len(self.variances)


@torch.no_grad()
def soft_modes(
    carbons: Float[Tensor, "members residues 3"], weights: Float[Tensor, "members"], seed: int = 0
) -> SoftModes | None:
    """Soft modes of the members of one state; None for fewer than ten, or where they are all alike.

    The subspace is that of a subspace-embedded spherical cluster, its dimension from the scree test.
    """
    if len(carbons) < FEWEST:
        return None
    fitted, mean = superposed_to_mean(carbons, frame_weights=weights)
    cloud = (fitted - mean).flatten(1).double()
    share = (weights / weights.sum()).to(cloud)
    _, _, axes = torch.linalg.svd(cloud * share.sqrt()[:, None], full_matrices=False)
    axes = axes[:_MOST_COMPONENTS]
    view = cloud @ axes.mT
    total = float(share @ cloud.square().sum(-1))
    if total < 1e-6 or view.shape[1] < 2:
        return None
    ball = SESC(1, starts=1).fit(view, weights=share, generator=torch.Generator().manual_seed(seed))
    kept = ball.variances[0] > 0
    directions = (ball.axes[0].mT[kept] @ axes).unflatten(1, (-1, 3)).to(carbons)
    variances = ball.variances[0][kept]
    return SoftModes(directions, variances.to(carbons), (variances / total).to(carbons))
