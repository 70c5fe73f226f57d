"""Tripeptide loop closure: every way to join two fixed ends by three residues.

The problem is that of Coutsias, Seok, Jacobson and Dill (2004); resultant and search are our own formulation.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..torsion import angle, dihedral, distance
from .bodies import Bodies
from .newton import newton_step, residual
from .resultant import solve

SOLUTIONS = 16  # the degree of the problem: never more real ones
_NEAR_DOUBLE = 1e-4  # |det J| below which two solutions are about to merge
_AT_ONCE = 2048  # problems whose work fits the processor's cache
_SINGULAR = 1e-5  # |det J| below which no gradient is passed on


@dataclass(frozen=True, eq=False)
class Closures:
    """All closures of each problem, in 16 places; those where `exists` is false hold nothing.

    Args:
        coords: N1 A1 C1 N2 A2 C2 N3 A3 C3, in Å.
        turns: Turns of the three rigid bodies about the sides of the Cα triangle, in radians.
        exists: Which places hold a solution; they come first, by rising third turn.
        near_double: Solutions about to merge with another one: their gradient is large, or cut.
        body_jacobian: |det| of the three equations by the three turns.
        torsion_jacobian: |det| of the pose of the end by the six torsions φ1 to ψ3, in Å³. One over it weighs
            closures so that torsions are sampled without bias.
    """

    coords: Float[Tensor, "*batch solutions 9 3"]
    turns: Float[Tensor, "*batch solutions 3"]
    exists: Bool[Tensor, "*batch solutions"]
    near_double: Bool[Tensor, "*batch solutions"]
    body_jacobian: Float[Tensor, "*batch solutions"]
    torsion_jacobian: Float[Tensor, "*batch solutions"]


@dataclass(frozen=True, eq=False)
class ClosureList:
    """The closures of many problems in one list, sorted by problem; the fields are those of `Closures`."""

    problem: Int[Tensor, "solutions"]
    coords: Float[Tensor, "solutions 9 3"]
    turns: Float[Tensor, "solutions 3"]
    near_double: Bool[Tensor, "solutions"]
    body_jacobian: Float[Tensor, "solutions"]
    torsion_jacobian: Float[Tensor, "solutions"]


def close_tripeptide(
    lengths: Float[Tensor, "*batch 6"],
    angles: Float[Tensor, "*batch 7"],
    omegas: Float[Tensor, "*batch 2"],
    anchors: Float[Tensor, "*batch 4 3"],
) -> Closures:
    """Every closure of three residues between fixed ends; differentiable, in float64 whatever comes in.

    The residues need not be neighbours: a rigid piece between residue i and the next is a long bond from C to N.

    Args:
        lengths: |A1C1| |C1N2| |N2A2| |A2C2| |C2N3| |N3A3|, in Å (A is Cα).
        angles: N1A1C1 A1C1N2 C1N2A2 N2A2C2 A2C2N3 C2N3A3 N3A3C3, in radians.
        omegas: Torsions A1C1N2A2 and A2C2N3A3, in radians.
        anchors: N1, A1, A3 and C3, in Å.

    Raises:
        DegenerateLoopError: A rigid body lies on its own axis.
    """
    batch = lengths.shape[:-1]
    flat = [x.reshape(batch.numel(), *x.shape[len(batch) :]) for x in (lengths, angles, omegas, anchors)]
    found = list_closures(*flat)
    count = found.problem.bincount(minlength=batch.numel())
    place = torch.arange(len(found.problem), device=count.device) - (count.cumsum(0) - count)[found.problem]
    slot = found.problem * SOLUTIONS + place
    exists = torch.zeros(batch.numel() * SOLUTIONS, dtype=torch.bool, device=count.device)
    exists[slot] = True
    columns = found.coords, found.turns, exists, found.near_double, found.body_jacobian, found.torsion_jacobian
    table = [
        column
        if column is exists
        else column.new_zeros(batch.numel() * SOLUTIONS, *column.shape[1:]).index_copy(0, slot, column)
        for column in columns
    ]
    return Closures(*(one.reshape(*batch, SOLUTIONS, *one.shape[1:]) for one in table))


def tripeptide_internals(
    trace: Float[Tensor, "*batch 9 3"],
) -> tuple[
    Float[Tensor, "*batch 6"], Float[Tensor, "*batch 7"], Float[Tensor, "*batch 2"], Float[Tensor, "*batch 4 3"]
]:
    """What `close_tripeptide` takes, of N1 A1 C1 N2 A2 C2 N3 A3 C3 as they stand: lengths, angles, ω, anchors."""
    atoms = trace.unbind(-2)
    lengths = torch.stack([distance(atoms[k], atoms[k + 1]) for k in range(1, 7)], dim=-1)
    angles = torch.stack([angle(*atoms[k : k + 3]) for k in range(7)], dim=-1)
    omegas = torch.stack([dihedral(*atoms[k : k + 4]) for k in (1, 4)], dim=-1)
    return lengths, angles, omegas, trace[..., (0, 1, 7, 8), :]


def list_closures(
    lengths: Float[Tensor, "problems 6"],
    angles: Float[Tensor, "problems 7"],
    omegas: Float[Tensor, "problems 2"],
    anchors: Float[Tensor, "problems 4 3"],
) -> ClosureList:
    """The same closures as `close_tripeptide`, in one list without empty places: faster where few exist."""
    inputs = [x.double().split(_AT_ONCE) for x in (lengths, angles, omegas, anchors)]
    parts = [_closures(*some, first=_AT_ONCE * index) for index, some in enumerate(zip(*inputs, strict=True))]
    problem = torch.cat([part.problem + _AT_ONCE * index for index, part in enumerate(parts)])
    rest = [torch.cat([getattr(part, one.name) for part in parts]) for one in fields(ClosureList)[1:]]
    return ClosureList(problem, *rest)


def _closures(
    lengths: Float[Tensor, "problems 6"],
    angles: Float[Tensor, "problems 7"],
    omegas: Float[Tensor, "problems 2"],
    anchors: Float[Tensor, "problems 4 3"],
    first: int,
) -> ClosureList:
    """The closures of problems that are numbered from `first` where one is degenerate."""
    bodies = Bodies.of(lengths, angles, omegas, anchors, first)
    equations = bodies.equations(angles)
    problem, turns = solve(equations.detach(), bodies.closes)
    value, after, before = residual(equations[problem].movedim(0, -1), turns.T.cos(), turns.T.sin())
    step, determinant = newton_step(value, after.detach(), before.detach())
    size = determinant.detach().abs()
    firm = size > _SINGULAR
    step = torch.where(firm, step / torch.where(firm, determinant.detach(), 1.0), 0.0)
    turns = turns - (step - step.detach()).T  # implicit function theorem: dτ = -J⁻¹ dF
    sides = bodies.points[:, :, 3, 0].detach().prod(-1)
    coords = bodies.atoms(problem, turns, anchors)
    return ClosureList(problem, coords, turns, size < _NEAR_DOUBLE, size, size * sides[problem])
