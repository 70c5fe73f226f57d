"""Small moves of closed loops: every torsion a little, and three residues that close the loop again.

Unlike a step of hit and run this also moves the atoms next to the fixed ends, and the softest angles.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...errors import LoopError
from ...structure.placement import place
from ..torsion import angle, dihedral
from .closure import list_closures
from .gap import Gap
from .joining import JOINT

Atoms = Float[Tensor, "chains residues 5 3"]
_SOFT = 0.25  # the angle N-CA-C, and ω, move by this share of what φ and ψ move by
_BEND, _TWIST = math.radians(6.0), math.radians(15.0)  # how far those may come from ideal


@dataclass(frozen=True, eq=False)
class _Internals:
    """What the perturbed torsions are, of each residue from the one before the loop to the one after it."""

    phi: Float[Tensor, "chains residues"]
    psi: Float[Tensor, "chains residues"]
    omega: Float[Tensor, "chains residues"]
    bend: Float[Tensor, "chains residues"]

    @classmethod
    def of(cls, gap: Gap, atoms: Atoms) -> "_Internals":
        many = (len(atoms), 1, 3, 3)
        trace = torch.cat((gap.before[:3].expand(many), atoms[:, :, :3], gap.after.expand(many)), dim=1)
        n, ca, c = trace.unbind(2)
        zero = trace.new_zeros(len(atoms), 1)
        phi = torch.cat((zero, dihedral(c[:, :-1], n[:, 1:], ca[:, 1:], c[:, 1:])), dim=1)
        psi = torch.cat((dihedral(n[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:]), zero), dim=1)
        omega = torch.cat((zero, dihedral(ca[:, :-1], c[:, :-1], n[:, 1:], ca[:, 1:])), dim=1)
        return cls(phi, psi, omega, angle(n, ca, c))

    def nudged(self, gap: Gap, size: Float[Tensor, "chains"], random: torch.Generator) -> "_Internals":
        def moved(values: Tensor, share: float) -> Tensor:
            noise = torch.randn(values.shape, generator=random, dtype=values.dtype, device=values.device)
            return values + share * size[:, None] * noise

        bend = moved(self.bend, _SOFT)
        bend = torch.maximum(torch.minimum(bend, gap.angles[:, 2] + _BEND), gap.angles[:, 2] - _BEND)
        turned = moved(self.omega, _SOFT).remainder(2 * math.pi)
        cis = (self.omega.abs() < math.pi / 2).to(turned) * math.pi
        omega = (turned - cis).remainder(2 * math.pi).clamp(math.pi - _TWIST, math.pi + _TWIST) + cis
        return _Internals(moved(self.phi, 1.0), moved(self.psi, 1.0), omega, bend)


def nudge(
    gap: Gap, atoms: Atoms, size: Float[Tensor, "chains"], first: int, random: torch.Generator
) -> tuple[Atoms, Bool[Tensor, "chains"]]:
    """Each chain with its torsions moved, and whether it closed; one that did not stays as it is.

    Args:
        gap: The fixed ends.
        atoms: Closed loops, as they come from `build_loops`.
        size: Standard deviation of the moves of φ and ψ, in rad.
        first: First of the three residues that close the loop again, 1 being the loop's first.
        random: Of all moves.

    Raises:
        LoopError: There are no such three residues.
    """
    if not 1 <= first <= gap.length - JOINT + 1:
        raise LoopError(gap.length, f"its residues {first} to {first + JOINT - 1} cannot close it")
    own = _Internals.of(gap, atoms)
    to = own.nudged(gap, size, random)
    ahead, start = _forward(gap, to, first)
    back, end = _backward(gap, to, first + JOINT - 1)
    joint, closed = _closed(gap, to, atoms, first, start, end)
    trace = torch.cat((ahead, joint, back), dim=1)
    return torch.where(closed[:, None, None, None], _whole(gap, trace), atoms), closed


def _forward(gap: Gap, to: _Internals, first: int) -> tuple[Tensor, Tensor]:
    """N, CA and C of the residues before `first`, and its N and CA."""
    chains = len(to.phi)
    n = gap.first_nitrogen.expand(chains, 3)
    c_before = gap.before[2].expand(chains, 3)
    ca = place(gap.before[1], c_before, n, gap.lengths[1, 1], gap.angles[1, 1], to.omega[:, 1])
    built = []
    for i in range(1, first):
        c = place(c_before, n, ca, gap.lengths[i, 2], to.bend[:, i], to.phi[:, i])
        built.append(torch.stack((n, ca, c), dim=1))
        n_next = place(n, ca, c, gap.lengths[i + 1, 0], gap.angles[i + 1, 0], to.psi[:, i])
        ca_next = place(ca, c, n_next, gap.lengths[i + 1, 1], gap.angles[i + 1, 1], to.omega[:, i + 1])
        c_before, n, ca = c, n_next, ca_next
    trace = torch.stack(built, dim=1) if built else n.new_zeros(chains, 0, 3, 3)
    return trace, torch.stack((n, ca), dim=1)


def _backward(gap: Gap, to: _Internals, last: int) -> tuple[Tensor, Tensor]:
    """N, CA and C of the residues after `last`, and its CA and C."""
    n_next, ca_next, c_next = (one.expand(len(to.phi), 3) for one in gap.after)
    built: list[Tensor] = []

    def tip(i: int) -> tuple[Tensor, Tensor]:
        """CA and C of a residue, from the one after it."""
        c = place(c_next, ca_next, n_next, gap.lengths[i + 1, 0], gap.angles[i + 1, 1], to.phi[:, i + 1])
        return place(ca_next, n_next, c, gap.lengths[i, 2], gap.angles[i + 1, 0], to.omega[:, i + 1]), c

    for i in range(gap.length, last, -1):
        ca, c = tip(i)
        n = place(n_next, c, ca, gap.lengths[i, 1], to.bend[:, i], to.psi[:, i])
        built.insert(0, torch.stack((n, ca, c), dim=1))
        n_next, ca_next, c_next = n, ca, c
    trace = torch.stack(built, dim=1) if built else n_next.new_zeros(len(to.phi), 0, 3, 3)
    return trace, torch.stack(tip(last), dim=1)


def _closed(
    gap: Gap, to: _Internals, atoms: Atoms, first: int, start: Tensor, end: Tensor
) -> tuple[Float[Tensor, "chains 3 3 3"], Bool[Tensor, "chains"]]:
    """The closure that lies nearest to where the three residues were."""
    a, b, c = first, first + 1, first + 2
    chains, lengths, angles = len(atoms), gap.lengths, gap.angles
    straight = torch.stack([lengths[k, j] for k, j in ((a, 2), (b, 0), (b, 1), (b, 2), (c, 0), (c, 1))])
    ideal = torch.stack([angles[k, j] for k, j in ((a, 2), (b, 0), (b, 1), (b, 2), (c, 0), (c, 1), (c, 2))])
    bent = ideal.repeat(chains, 1)
    bent[:, (0, 3, 6)] = to.bend[:, a : c + 1]
    anchors = torch.cat((start, end), dim=1)
    found = list_closures(straight.expand(chains, -1), bent, to.omega[:, b : c + 1], anchors)
    before = atoms[:, first - 1 : first - 1 + JOINT, :3].flatten(1, 2)
    off = (found.coords - before[found.problem]).square().sum((-2, -1))
    least = off.new_full((chains,), torch.inf).scatter_reduce(0, found.problem, off, "amin")
    nearest = (off == least[found.problem]).nonzero().squeeze(-1)
    joint = before.clone()
    joint[found.problem[nearest]] = found.coords[nearest]
    return joint.unflatten(1, (JOINT, 3)), least.isfinite()


def _whole(gap: Gap, trace: Float[Tensor, "chains residues 3 3"]) -> Atoms:
    """With O and CB."""
    n, ca, c = trace.unbind(2)
    following = torch.cat((n[:, 1:], gap.after[0].expand(len(n), 1, 3)), dim=1)
    oxygen = place(following, ca, c, gap.lengths[1:-1, 3], gap.angles[1:-1, 3], math.pi)
    return torch.stack((n, ca, c, oxygen, gap.beta(n, ca, c)), dim=2)
