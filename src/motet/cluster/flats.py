"""Balls in affine subspaces: what a point costs, and the best ball for given points.

The distance off the subspace is paid in full, the distance within it only outside the ball:
f(x) = |x - c|^2 - min(|U^T (x - c)|^2, r^2), with r^2 = eta^2 times the mean of |U^T (x - c)|^2 over the cluster.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .labels import memberships
from .points import squared_distances
from .subspace import leading, scatter

REFINEMENTS = 3  # rounds of inliers → axes → radius → inliers; the best round is kept


@dataclass(frozen=True, eq=False)
class Flats:
    """A batch of sets of balls.

    Args:
        centres: Centre of each ball.
        axes: Orthonormal columns that span its subspace; zero columns beyond its dimension.
        radii: Its squared radius.
    """

    centres: Float[Tensor, "starts clusters dims"]
    axes: Float[Tensor, "starts clusters dims axes"]
    radii: Float[Tensor, "starts clusters"]

    def __getitem__(self, starts: Tensor) -> "Flats":
        """The chosen sets."""
        return Flats(self.centres[starts], self.axes[starts], self.radii[starts])

    def put(self, starts: Tensor, other: "Flats") -> None:
        """Overwrite the chosen sets."""
        self.centres[starts], self.axes[starts], self.radii[starts] = other.centres, other.axes, other.radii

    def clone(self) -> "Flats":
        """A copy to overwrite."""
        return Flats(self.centres.clone(), self.axes.clone(), self.radii.clone())

    def costs(self, cloud: Float[Tensor, "points dims"]) -> Float[Tensor, "starts clusters points"]:
        """f of every point for every ball."""
        away = squared_distances(cloud, self.centres)
        along = along_axes(cloud, self.centres, self.axes)
        return (away - torch.minimum(along, self.radii[..., None])).clamp_min(0)


def along_axes(
    cloud: Float[Tensor, "points dims"],
    centres: Float[Tensor, "*batch clusters dims"],
    axes: Float[Tensor, "*batch clusters dims axes"],
) -> Float[Tensor, "*batch clusters points"]:
    """Squared distance from each centre within its subspace."""
    if axes.shape[-1] == 0:
        return cloud.new_zeros(*centres.shape[:-1], cloud.shape[0])
    origin = (centres[..., None, :] @ axes).squeeze(-2)
    # One product for all starts and clusters, with the axes side by side as columns.
    columns = axes.movedim(-2, 0).flatten(1)
    coordinates = (cloud @ columns).mT.unflatten(0, origin.shape)
    return (coordinates - origin[..., None]).square().sum(-2)


def fitted(
    cloud: Float[Tensor, "points dims"],
    masses: Float[Tensor, "points"],
    labels: Int[Tensor, "starts points"],
    before: Flats,
    dimensions: Int[Tensor, "clusters"],
    etas: Float[Tensor, "clusters"],
) -> tuple[Flats, Float[Tensor, "starts"]]:
    """The ball of each cluster of given points, and the cost of each set.

    The radius follows the axes, so the rounds need not fall: the best of them is kept, and the axes from before
    and those of all points of the cluster are among them.
    """
    members = memberships(labels, masses, before.centres.shape[1])
    totals = members.sum(-1)
    held = totals > 0
    means = (members / torch.where(held, totals, 1.0)[..., None]) @ cloud
    centres = torch.where(held[..., None], means, before.centres)
    away = squared_distances(cloud, centres)
    axes, best, least = before.axes, None, None
    for refinement in range(REFINEMENTS + 1):
        along = along_axes(cloud, centres, axes)
        radii = _radii(along, members, torch.where(held, totals, 1.0), etas)
        cost = (members * (away - torch.minimum(along, radii[..., None])).clamp_min(0)).sum(-1)
        if best is None or least is None:
            best, least = Flats(centres, axes, radii), cost
            inside = torch.ones_like(along, dtype=torch.bool)
        else:
            better = cost < least
            if not better.any():
                break
            best = Flats(
                centres,
                torch.where(better[..., None, None], axes, best.axes),
                torch.where(better, radii, best.radii),
            )
            least = torch.where(better, cost, least)
            inside = along <= radii[..., None]
        if refinement < REFINEMENTS:
            spread = scatter(cloud, (members * inside).flatten(0, 1), centres.flatten(0, 1))
            axes = leading(spread, dimensions.repeat(labels.shape[0]))[0].unflatten(0, centres.shape[:2])
    assert best is not None
    assert least is not None
    return best, least.sum(-1)


def _radii(along: Tensor, members: Tensor, totals: Tensor, etas: Tensor) -> Float[Tensor, "starts clusters"]:
    """eta^2 times the mean squared distance within the subspace; no bound where eta is infinite."""
    mean = (members * along).sum(-1) / totals
    return torch.where(etas.isinf(), torch.inf, etas.nan_to_num(posinf=0.0).square() * mean)
