"""The subspace a cluster lies along: its leading axes, and how many of them there are."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

CATTELL = 0.2  # Bouveyron, Girard and Schmid (2007): the default of their HDDC


def scatter(
    cloud: Float[Tensor, "points dims"],
    members: Float[Tensor, "clusters points"],
    centres: Float[Tensor, "clusters dims"],
) -> Float[Tensor, "clusters dims dims"]:
    """Weighted sum of outer products about each centre; only points with weight in a cluster cost time there."""
    spread = []
    for mass, centre in zip(members, centres, strict=True):
        inside = mass.nonzero()[:, 0]
        rows = (cloud[inside] - centre) * mass[inside, None].sqrt()
        spread.append(rows.mT @ rows)
    return torch.stack(spread)


def leading(
    spread: Float[Tensor, "clusters dims dims"], counts: Int[Tensor, "clusters"]
) -> tuple[Float[Tensor, "clusters dims axes"], Float[Tensor, "clusters axes"]]:
    """The first `counts` principal axes of each cluster, as columns, and their eigenvalues; zero beyond."""
    most = int(counts.max()) if counts.numel() else 0
    if most == 0:
        return spread[..., :0], spread[..., 0, :0]
    values, vectors = torch.linalg.eigh(spread)
    kept = torch.arange(most, device=counts.device) < counts[:, None]
    values, vectors = values[..., -most:].flip(-1), vectors[..., -most:].flip(-1)
    return vectors * kept[:, None], values.clamp_min(0) * kept


def cattell(
    eigenvalues: Float[Tensor, "*batch falling"], most: int, threshold: float = CATTELL
) -> Int[Tensor, "*batch"]:
    """Number of axes by Cattell's scree test: up to the last drop that reaches `threshold` of the largest.

    At most `most`; 0 for a cluster without spread, 1 where it has only one axis.
    """
    following = torch.nn.functional.pad(eigenvalues[..., 1:], (0, 1))
    drops = (eigenvalues - following)[..., :most].clamp_min(0)
    if eigenvalues.shape[-1] <= most and eigenvalues.shape[-1] > 1:
        drops = drops[..., :-1]  # the last eigenvalue falls to nothing only because the space ends
    largest = drops.amax(-1, keepdim=True)
    counts = torch.arange(1, drops.shape[-1] + 1, device=drops.device)
    return ((drops >= threshold * largest) & (largest > 0)).mul(counts).amax(-1)
