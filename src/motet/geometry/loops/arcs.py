"""When can a tripeptide close? A necessary condition on its ends, in closed form; our own formulation.

Each of the three bodies turns about a side of the Cα triangle. At the corner where its C leaves, the angle N-Cα-C
can be kept only on arcs of that turn; so it is at the corner where its N arrives. Where the arcs of the two have
nothing in common for one body, there is no closure.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_SLACK = 1e-9  # of cosines, so that rounding rejects nothing


@dataclass(frozen=True, eq=False)
class Peptides:
    """The two bodies of each tripeptide that do not depend on where its ends are.

    Args:
        sides: |A1A2| and |A2A3|, in Å.
        leaving: Direction A to C, along the side and square to it.
        arriving: Direction from the next A to N: along the side, towards where C is, and square to both.
        angles: N-A-C at the three Cα, in rad.
    """

    sides: Float[Tensor, "*batch 2"]
    leaving: Float[Tensor, "*batch 2 2"]
    arriving: Float[Tensor, "*batch 2 3"]
    angles: Float[Tensor, "*batch 3"]

    @classmethod
    def of(cls, trace: Float[Tensor, "*batch 9 3"]) -> "Peptides":
        """Of N1 A1 C1 N2 A2 C2 N3 A3 C3, in Å."""
        first, second = (_local(trace[..., k : k + 4, :]) for k in (1, 4))
        sides = torch.stack((first[0], second[0]), dim=-1)
        leaving, arriving = (torch.stack((first[k], second[k]), dim=-2) for k in (1, 2))
        unit = [_unit(trace[..., k, :] - trace[..., 3 * (k // 3) + 1, :]) for k in (0, 2, 3, 5, 6, 8)]
        cosine = torch.stack([(unit[k] * unit[k + 1]).sum(-1) for k in (0, 2, 4)], dim=-1)
        return cls(sides, leaving, arriving, cosine.clamp(-1, 1).acos())


def may_close(peptides: Peptides, anchors: Float[Tensor, "*batch 4 3"]) -> Bool[Tensor, "*batch"]:
    """False where there is certainly no closure of these peptides between N1, A1, A3 and C3."""
    third, leaving, arriving = _local(anchors[..., (2, 3, 0, 1), :])
    batch = third.shape
    sides = torch.cat((peptides.sides.expand(*batch, 2), third[..., None]), dim=-1)
    leaving = torch.cat((peptides.leaving.expand(*batch, 2, 2), leaving[..., None, :]), dim=-2)
    arriving = torch.cat((peptides.arriving.expand(*batch, 2, 3), arriving[..., None, :]), dim=-2)
    # Outer angle at corner i, between the side that arrives and the side that leaves.
    before, opposite = sides.roll(1, dims=-1), sides.roll(-1, dims=-1)
    cosine = (opposite.square() - before.square() - sides.square()) / (2 * before * sides)
    closes = (cosine.abs() < 1).all(-1)
    cosine = cosine.clamp(-1, 1)
    sine = (1 - cosine.square()).sqrt()
    theta = peptides.angles.expand(*batch, 3)
    # Corner i as the C of body i sees it: the N arrives at an angle xi to the side before.
    xi = arriving[..., 0].roll(1, dims=-1).clamp(-1, 1).acos()
    first = _arc(leaving[..., 0] * cosine, -sine * leaving[..., 1], theta, xi)
    # Corner i + 1 as the N of body i sees it: the C leaves at an angle eta to the side after.
    eta = leaving[..., 0].roll(-1, dims=-1).clamp(-1, 1).acos()
    radius = torch.hypot(arriving[..., 1], arriving[..., 2])
    turned = torch.atan2(arriving[..., 2], arriving[..., 1])
    second = _arc(
        arriving[..., 0] * cosine.roll(-1, dims=-1), sine.roll(-1, dims=-1) * radius, theta.roll(-1, dims=-1), eta
    )
    return closes & _meet(first, second, turned).all(-1)


def _local(body: Float[Tensor, "*batch 4 3"]) -> tuple[Tensor, Tensor, Tensor]:
    """Side, leaving and arriving of a body A, C, next N, next A."""
    a, c, n, last = body.unbind(-2)
    side = last - a
    length = side.norm(dim=-1)
    x = _unit(side)
    to_c, to_n = _unit(c - a), _unit(n - last)
    along = (to_c * x).sum(-1)
    off = to_c - along[..., None] * x
    radius = off.norm(dim=-1)
    y = _unit(off)
    z = torch.linalg.cross(x, y)
    arriving = torch.stack(((to_n * x).sum(-1), (to_n * y).sum(-1), (to_n * z).sum(-1)), dim=-1)
    return length, torch.stack((along, radius), dim=-1), arriving


def _unit(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    return v / v.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(v.dtype).tiny)


def _arc(middle: Tensor, swing: Tensor, theta: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Where cos(theta + other) <= middle + swing cos t <= cos(theta - other): between these |t|, if in order."""
    swing = torch.where(swing.abs() > 1e-12, swing, 1e-12)
    low = ((theta + other).cos() - _SLACK - middle) / swing
    high = ((theta - other).cos() + _SLACK - middle) / swing
    least, most = torch.minimum(low, high), torch.maximum(low, high)
    exists = (least <= 1) & (most >= -1)
    return torch.where(exists, most.clamp(-1, 1).acos(), 9.0), least.clamp(-1, 1).acos()


def _meet(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], turned: Tensor) -> Bool[Tensor, "*batch"]:
    """Whether ±[first] and ±[second] - turned have a point in common."""
    exists = (first[0] <= first[1]) & (second[0] <= second[1])
    reach = (first[1] - first[0] + second[1] - second[0]) / 2 + _SLACK
    centres = (first[0] + first[1]) / 2, (second[0] + second[1]) / 2
    found = torch.zeros_like(exists)
    for sign in (1, -1):
        for other in (1, -1):
            apart = sign * centres[0] - other * centres[1] + turned
            found = found | (torch.atan2(apart.sin(), apart.cos()).abs() <= reach)
    return exists & found
