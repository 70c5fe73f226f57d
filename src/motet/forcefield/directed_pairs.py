"""Pairs of atoms that each point somewhere: their distance, and how well each points at the other."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .derivatives import slope_as_graph
from .vectors import TINY, dot, unit


class DirectedPairs(NamedTuple):
    """Pairs through all conformations; each atom's axis is unit(unit(p - q) + weight · unit(r - s)).

    Args:
        corners: The first atom and the second, then p, q, r and s of each, one after the other.
        weight: Of the second direction in either axis.
        reach: How far along the first atom's axis the point lies that its angle is measured at, in Å.
    """

    corners: Int[Tensor, "10 pairs"]
    weight: Float[Tensor, "2 pairs"]
    reach: Float[Tensor, "pairs"]

    @classmethod
    def of(
        cls,
        atoms: tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]],
        frames: tuple[Int[Tensor, "4 pairs"], Int[Tensor, "4 pairs"]],
        weights: tuple[Float[Tensor, "pairs"], Float[Tensor, "pairs"]],
        reach: Float[Tensor, "pairs"],
    ) -> "DirectedPairs":
        """Pairs of the atoms, whose axes have these frames (p, q, r, s) and weights."""
        return cls(torch.cat((torch.stack(atoms), *frames)), torch.stack(weights), reach)


def meeting(
    points: Float[Tensor, "3 all_atoms"], pairs: DirectedPairs
) -> tuple[Float[Tensor, "pairs"], Float[Tensor, "pairs"], Float[Tensor, "pairs"]]:
    """Squared distance in Å², and the cosines between each axis and the line to the other atom."""
    return _Meeting.apply(points, *pairs)


def _sides(points: Tensor, corners: Tensor) -> tuple[Tensor, Tensor]:
    """From the first atom to the second; and p - q and r - s of both, `3 axes sides pairs`."""
    places = points.index_select(1, corners.flatten()).unflatten(1, corners.shape)
    ends = places[:, 2:].unflatten(1, (2, 2, 2))
    return places[:, 1] - places[:, 0], ends[:, :, :, 0] - ends[:, :, :, 1]


def _plain(points: Tensor, corners: Tensor, weight: Tensor, reach: Tensor) -> tuple[Tensor, ...]:
    apart, sides = _sides(points, corners)
    first, second = unit(unit(sides[:, :, 0]) + weight * unit(sides[:, :, 1])).unbind(1)
    towards = unit(apart - reach * first)
    return dot(apart, apart), dot(first, towards), -dot(second, towards)


class _Meeting(torch.autograd.Function):
    """`_plain`, with the derivative written out: |u| d unit(u) = du - unit(u) (unit(u) · du), seven times."""

    @staticmethod
    def forward(ctx: Any, points: Tensor, corners: Tensor, weight: Tensor, reach: Tensor) -> tuple[Tensor, ...]:
        apart, sides = _sides(points, corners)
        shrink = dot(sides, sides).add_(TINY).rsqrt_()
        units = sides.mul_(shrink)
        axes = torch.addcmul(units[:, :, 0], units[:, :, 1], weight)
        last = dot(axes, axes).add_(TINY).rsqrt_()
        axes.mul_(last)
        towards = torch.addcmul(apart, axes[:, 0], reach, value=-1.0)
        near = dot(towards, towards).add_(TINY).rsqrt_()
        towards.mul_(near)
        cosines = (axes * towards[:, None]).sum(0)
        ctx.save_for_backward(
            points, corners, weight, reach, apart, units, shrink, axes, last, towards, near, cosines
        )
        return dot(apart, apart), cosines[0], -cosines[1]

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:
        points, corners, weight, reach, apart, units, shrink, axes, last, towards, near, cosines = (
            ctx.saved_tensors
        )
        if torch.is_grad_enabled():
            return slope_as_graph(_plain, (points, corners, weight, reach), pulls), None, None, None
        pull = torch.stack((pulls[1], -pulls[2]))
        by_towards = (axes * pull).sum(1).addcmul_(towards, (cosines * pull).sum(0), value=-1.0).mul_(near)
        by_axes = towards[:, None] * pull
        by_axes[:, 0].addcmul_(by_towards, reach, value=-1.0)
        by_apart = by_towards.addcmul_(apart, pulls[0], value=2.0)
        by_axes = by_axes.addcmul_(axes, dot(axes, by_axes), value=-1.0).mul_(last)
        by_sides = torch.stack((by_axes, by_axes * weight), dim=2)
        by_sides = by_sides.addcmul_(units, dot(units, by_sides), value=-1.0).mul_(shrink)
        by_ends = torch.stack((by_sides, -by_sides), dim=3).flatten(1, 3)
        rows = torch.cat((torch.stack((-by_apart, by_apart), dim=1), by_ends), dim=1)
        gradient = torch.zeros_like(points).index_add_(1, corners.flatten(), rows.flatten(1))
        return gradient, None, None, None
