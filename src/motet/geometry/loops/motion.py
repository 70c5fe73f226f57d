"""How the rigid parts of a loop move along one curve: twists of the peptides, turns of what is left over.

A loop of residues is split into tripeptides. Between two of them stands a rigid peptide body, from the last Cα of
one to the first of the next, that moves as a rigid piece; residues before the first tripeptide and after the last
turn about their own bonds. The curve is reversible, and goes through the loop as it stands at t = 0.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

JOINT = 3


@dataclass(frozen=True)
class Frame:
    """How a loop is split.

    Args:
        length: Residues of the loop.
        first: Residues before the first tripeptide; fewer than three.
    """

    length: int
    first: int

    @property
    def tripeptides(self) -> int:
        """Number of tripeptides."""
        return (self.length - self.first) // JOINT

    @property
    def last(self) -> int:
        """Residues after the last tripeptide."""
        return self.length - self.first - JOINT * self.tripeptides

    @property
    def freedom(self) -> int:
        """Dimensions of the curve's space."""
        return 6 * (self.tripeptides - 1) + 2 * (self.first + self.last)

    def windows(self, trace: Float[Tensor, "*batch residues 3 3"]) -> Float[Tensor, "*batch tripeptides 9 3"]:
        """N1 A1 C1 … C3 of each tripeptide."""
        inner = trace[..., self.first : self.first + JOINT * self.tripeptides, :, :]
        return inner.unflatten(-3, (self.tripeptides, JOINT)).flatten(-3, -2)


@dataclass(frozen=True, eq=False)
class Curve:
    """One way for each chain to move; speeds are those at which t runs from -1 to 1.

    Args:
        frame: How the loop is split.
        bodies: A3, C3 and the next N1, A1 of each peptide body, in Å.
        twist: Rotation vector of each body about its centroid, in rad.
        drift: Shift of each body, in Å.
        head: Atoms of the residues before the first tripeptide, and its N1 and A1.
        tail: A3 and C3 of the last tripeptide, and the atoms of the residues after it.
        turns: Turns of φ and ψ of the residues before, from the tripeptide outwards, then of those after, in rad.
    """

    frame: Frame
    bodies: Float[Tensor, "chains bodies 4 3"]
    twist: Float[Tensor, "chains bodies 3"]
    drift: Float[Tensor, "chains bodies 3"]
    head: Float[Tensor, "chains head 3"]
    tail: Float[Tensor, "chains tail 3"]
    turns: Float[Tensor, "chains leftover 2"]

    @classmethod
    def drawn(
        cls,
        frame: Frame,
        trace: Float[Tensor, "chains residues 3 3"],
        turn: float,
        shift: float,
        random: torch.Generator,
    ) -> "Curve":
        """A random direction, whose law does not depend on where the loop is: turns in rad and shifts in Å."""
        bodies, left = frame.tripeptides - 1, frame.first + frame.last
        parts = ((bodies, 3), (bodies, 3), (left, 2))
        twist, drift, turns = (
            torch.randn(len(trace), *one, generator=random, dtype=trace.dtype, device=trace.device)
            for one in parts
        )
        scale = max(frame.freedom, 1) ** -0.5
        return cls.through(frame, trace, turn * scale * twist, shift * scale * drift, turn * scale * turns)

    @classmethod
    def through(
        cls,
        frame: Frame,
        trace: Float[Tensor, "chains residues 3 3"],
        twist: Float[Tensor, "chains bodies 3"],
        drift: Float[Tensor, "chains bodies 3"],
        turns: Float[Tensor, "chains leftover 2"],
    ) -> "Curve":
        """The curve of these speeds through a loop as it stands."""
        windows = frame.windows(trace)
        end = frame.first + JOINT * frame.tripeptides
        return cls(
            frame,
            torch.cat((windows[:, :-1, 7:], windows[:, 1:, :2]), dim=-2),
            twist,
            drift,
            torch.cat((trace[:, : frame.first].flatten(1, 2), windows[:, 0, :2]), dim=1),
            torch.cat((windows[:, -1, 7:], trace[:, end:].flatten(1, 2)), dim=1),
            turns,
        )

    def at(self, t: Float[Tensor, "*times chains"]) -> tuple[Tensor, Tensor, Tensor]:
        """Anchors N1, A1, A3, C3 of each tripeptide, and the moved head and tail."""
        centre = self.bodies.mean(-2, keepdim=True)
        spin = _rotation(self.twist * t[..., None, None])
        moved = (self.bodies - centre) @ spin.mT + centre + (self.drift * t[..., None, None])[..., None, :]
        first, last = self.frame.first, self.frame.last
        head, tail = (one.expand(*t.shape, *one.shape[-2:]) for one in (self.head, self.tail))
        for step in range(first):  # from the tripeptide outwards: ψ about A-C, then φ about N-A
            n = 3 * (first - 1 - step)
            head = _swung(head, n + 1, n + 2, self.turns[:, step, 1] * t, beyond=True)
            head = _swung(head, n, n + 1, self.turns[:, step, 0] * t, beyond=True)
        for step in range(last):
            n = 2 + 3 * step
            tail = _swung(tail, n, n + 1, self.turns[:, first + step, 0] * t, beyond=False)
            tail = _swung(tail, n + 1, n + 2, self.turns[:, first + step, 1] * t, beyond=False)
        starts = torch.cat((head[..., None, -2:, :], moved[..., 2:, :]), dim=-3)
        ends = torch.cat((moved[..., :2, :], tail[..., None, :2, :]), dim=-3)
        return torch.cat((starts, ends), dim=-2), head, tail

    def put_together(
        self,
        windows: Float[Tensor, "chains tripeptides 9 3"],
        head: Float[Tensor, "chains head 3"],
        tail: Float[Tensor, "chains tail 3"],
    ) -> Float[Tensor, "chains residues 3 3"]:
        """The loop of closed tripeptides and what is before and after them."""
        before, after = (one.reshape(len(one), -1, 3, 3) for one in (head[:, :-2], tail[:, 2:]))
        return torch.cat((before, windows.reshape(len(windows), -1, 3, 3), after), dim=1)


def _rotation(vector: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation by a vector: its length is the angle, in rad."""
    angle = vector.norm(dim=-1)[..., None, None]
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))
    one = torch.eye(3, dtype=vector.dtype, device=vector.device)
    half = torch.sinc(angle / (2 * torch.pi))
    return one + torch.sinc(angle / torch.pi) * cross + 0.5 * half.square() * (cross @ cross)


def _swung(
    atoms: Float[Tensor, "*times atoms 3"], i: int, j: int, angle: Float[Tensor, "*times"], beyond: bool
) -> Float[Tensor, "*times atoms 3"]:
    """The atoms beyond j, or before i, turned about the bond from i to j."""
    axis = atoms[..., j, :] - atoms[..., i, :]
    axis = axis / axis.norm(dim=-1, keepdim=True)
    spin = _rotation(axis * angle[..., None])
    origin = atoms[..., j : j + 1, :]
    turned = (atoms - origin) @ spin.mT + origin
    index = torch.arange(atoms.shape[-2], device=atoms.device)
    moves = index > j if beyond else index < i
    return torch.where(moves[:, None], turned, atoms)
