"""A tripeptide as three rigid bodies that turn about the sides of a triangle of Cα atoms."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...errors import DegenerateLoopError

_NAMES = ("the first peptide", "the second peptide", "the fixed legs")
_ON_AXIS = 1e-7  # relative distance from the axis below which a bond gives no direction


@dataclass(frozen=True, eq=False)
class Bodies:
    """Three bodies, each A, C, next N, next A in its own frame: origin at A, x from A to A, C (or N) at y > 0.

    The first two are the peptides, the third is the fixed part from A3, C3 round to N1, A1.

    Args:
        points: Atoms of each body in its frame, in Å.
        axes: Axes of each body's frame, in columns, where the atoms were given.
        corners: The Cα triangle, in the plane z = 0, first corner at the origin.
        closes: Whether the three sides make a triangle.
    """

    points: Float[Tensor, "batch 3 4 3"]
    axes: Float[Tensor, "batch 3 3 3"]
    corners: Float[Tensor, "batch 3 3"]
    closes: Bool[Tensor, "batch"]

    @classmethod
    def of(
        cls,
        lengths: Float[Tensor, "batch 6"],
        angles: Float[Tensor, "batch 7"],
        omegas: Float[Tensor, "batch 2"],
        anchors: Float[Tensor, "batch 4 3"],
        first: int = 0,
    ) -> "Bodies":
        """The bodies of closure problems, numbered from `first`; other arguments as in `close_tripeptide`.

        Raises:
            DegenerateLoopError: A body lies on its own axis.
        """
        peptides = [
            _peptide(lengths[:, first : first + 3], angles[:, first + 1 : first + 3], omegas[:, first // 3])
            for first in (0, 3)
        ]
        base = anchors[:, (2, 3, 0, 1)]
        placed = torch.stack((*peptides, base), dim=1)
        placed = placed - placed[:, :, :1]
        axes = _axes(placed, first)
        points = placed @ axes
        sides = points[:, :, 3, 0]
        corners, closes = _triangle(sides)
        return cls(points, axes, corners, closes)

    @property
    def edges(self) -> Float[Tensor, "batch 3 3 3"]:
        """Of each side its direction, the one square to it in the plane, and the plane's normal; in columns."""
        along = self.corners.roll(-1, dims=1) - self.corners
        along = along / along.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(along.dtype).tiny)
        normal = torch.zeros_like(along)
        normal[..., 2] = 1
        return torch.stack((along, torch.linalg.cross(normal, along), normal), dim=-1)

    def equations(self, angles: Float[Tensor, "batch 7"]) -> Float[Tensor, "batch 3 3 3"]:
        """M of each corner i: the angle N-A-C there is kept where w(τ of body i-1)ᵀ M w(τ of body i) = 0.

        w(τ) is (1, cos τ, sin τ), and body 3 also stands before body 1.
        """
        edges = self.edges
        to_c, to_n = self.points[:, :, 1], self.points[:, :, 2] - self.points[:, :, 3]
        leaving, arriving = (_turning(edges, v / v.norm(dim=-1, keepdim=True)) for v in (to_c, to_n))
        equations = arriving.roll(1, dims=1).mT @ leaving
        kept = torch.zeros_like(equations)
        kept[..., 0, 0] = angles[:, (0, 3, 6)].cos()
        return equations - kept

    def atoms(
        self,
        problem: Int[Tensor, "solutions"],
        turns: Float[Tensor, "solutions 3"],
        anchors: Float[Tensor, "batch 4 3"],
    ) -> Float[Tensor, "solutions 9 3"]:
        """N1 A1 C1 N2 A2 C2 N3 A3 C3 of each solution, in Å: the anchors as they are, and five atoms between."""
        cosine, sine = turns.cos()[:, :, None], turns.sin()[:, :, None]
        edges = self.edges.mT[problem]
        along, inward, normal = edges.unbind(2)  # of each body: solutions 3 xyz
        y, z = cosine * inward + sine * normal, cosine * normal - sine * inward
        legs = self.points[problem][:, :2, 1:3]
        corners = self.corners[problem]
        placed = (
            legs[..., :1] * along[:, :2, None] + legs[..., 1:2] * y[:, :2, None] + legs[..., 2:] * z[:, :2, None]
        )
        inner = torch.cat(((placed + corners[:, :2, None]).flatten(1, 2), corners[:, 1:2]), dim=1)
        inner = inner - corners[:, 2:]
        turned = torch.stack((along[:, 2], y[:, 2], z[:, 2]), dim=-1)
        fixed = anchors[problem]
        c1, n2, c2, n3, a2 = (inner @ turned @ self.axes[:, 2].mT[problem] + fixed[:, 2:3]).unbind(1)
        n1, a1, a3, c3 = fixed.unbind(1)
        return torch.stack((n1, a1, c1, n2, a2, c2, n3, a3, c3), dim=1)


def _turning(edges: Float[Tensor, "batch 3 3 3"], v: Float[Tensor, "batch 3 3"]) -> Float[Tensor, "batch 3 3 3"]:
    """L of each body: L w(τ) is the direction v once the body is turned by τ."""
    along, inward, normal = edges.unbind(-1)
    x, y, z = v.unsqueeze(-1).unbind(-2)
    return torch.stack((x * along, y * inward + z * normal, y * normal - z * inward), dim=-1)


def _peptide(
    lengths: Float[Tensor, "batch 3"], angles: Float[Tensor, "batch 2"], omega: Float[Tensor, "batch"]
) -> Float[Tensor, "batch 4 3"]:
    """A, C, N and the next A from three lengths, two angles and ω."""
    (first, bond, last), (at_c, at_n) = lengths.unbind(-1), angles.unbind(-1)
    zero = torch.zeros_like(first)
    along = torch.stack((-at_c.cos(), at_c.sin(), zero), dim=-1)
    aside = torch.stack((-at_c.sin(), -at_c.cos(), zero), dim=-1)
    a = torch.zeros_like(along)
    c = torch.stack((first, zero, zero), dim=-1)
    n = c + bond[:, None] * along
    up = torch.stack((zero, zero, at_n.sin() * omega.sin()), dim=-1)
    onward = -at_n.cos()[:, None] * along + (at_n.sin() * omega.cos())[:, None] * aside + up
    return torch.stack((a, c, n, n + last[:, None] * onward), dim=1)


def _axes(placed: Float[Tensor, "batch 3 4 3"], numbered_from: int) -> Float[Tensor, "batch 3 3 3"]:
    """Frame of each body: x from A to A, y towards C, or towards N where C lies on the axis."""
    side = placed[:, :, 3]
    length = side.norm(dim=-1, keepdim=True)
    x = side / length.clamp_min(torch.finfo(side.dtype).tiny)
    legs = torch.stack((placed[:, :, 1], placed[:, :, 2] - side), dim=2)
    off = legs - (legs * x[:, :, None]).sum(-1, keepdim=True) * x[:, :, None]
    span = off.norm(dim=-1) / legs.norm(dim=-1).clamp_min(torch.finfo(side.dtype).tiny)
    usable = (span > _ON_AXIS) & (length > 0)
    bad = (~usable.any(-1)).nonzero()
    if len(bad):
        which, body = bad[0].tolist()
        raise DegenerateLoopError(numbered_from + which, _NAMES[body])
    y = torch.where(usable[:, :, :1], off[:, :, 0], off[:, :, 1])
    y = y / y.norm(dim=-1, keepdim=True)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def _triangle(sides: Float[Tensor, "batch 3"]) -> tuple[Float[Tensor, "batch 3 3"], Bool[Tensor, "batch"]]:
    """Corners of the triangle with these sides, 1-2, 2-3 and 3-1, and whether there is one."""
    first, second, third = sides.unbind(-1)
    along = (first.square() + third.square() - second.square()) / (2 * first)
    height = third.square() - along.square()
    closes = height > 0
    height = torch.where(closes, torch.where(closes, height, 1.0).sqrt(), 0.0)
    zero = torch.zeros_like(first)
    corners = (zero, zero, zero), (first, zero, zero), (along, height, zero)
    return torch.stack([torch.stack(corner, dim=-1) for corner in corners], dim=1), closes
