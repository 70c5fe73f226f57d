"""The leading principal components of a cloud: fewer dimensions, nearly the same distances."""

import torch
from jaxtyping import Float
from torch import Tensor

from .points import checked, mean_of


@torch.no_grad()
def principal(
    points: Float[Tensor, "points dims"],
    components: int,
    *,
    weights: Float[Tensor, "points"] | None = None,
) -> tuple[Float[Tensor, "points axes"], Float[Tensor, "axes"]]:
    """The cloud in its first principal components, and the share of the variance along each.

    As many components as asked for, but no more than the cloud spans. The sign of a component is that which makes
    its largest entry positive, so that equal clouds get equal rows.
    """
    masses = checked(points, weights)
    share = (masses / masses.sum())[:, None]
    cloud = points - mean_of(points, masses)
    scaled = share.sqrt() * cloud
    if points.shape[1] <= points.shape[0]:
        values, axes = torch.linalg.eigh(scaled.mT @ scaled)
    else:
        values, sides = torch.linalg.eigh(scaled @ scaled.mT)
        axes = scaled.mT @ sides / values.clamp_min(torch.finfo(values.dtype).tiny).sqrt()
    values, axes = values.flip(-1).clamp_min(0), axes.flip(-1)
    spanned = int((values > values[0] * torch.finfo(values.dtype).eps * len(values)).sum())
    kept = max(1, min(components, spanned))
    axes = axes[:, :kept]
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
    axes = axes * torch.where(largest < 0, -1.0, 1.0)
    total = values.sum().clamp_min(torch.finfo(values.dtype).tiny)
    return cloud @ axes, values[:kept] / total
