"""Tripeptide loop closure: every way to join two fixed ends by three residues.

The problem is that of Coutsias, Seok, Jacobson and Dill (2004); resultant and search are our own formulation.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .bodies import Bodies
from .resultant import newton_step, residual, solve

_NEAR_DOUBLE = 1e-4  # |det J| below which two solutions are about to merge
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
    flat = [x.double().reshape(batch.numel(), *x.shape[len(batch) :]) for x in (lengths, angles, omegas, anchors)]
    bodies = Bodies.of(*flat)
    equations = bodies.equations(flat[1])
    turns, exists = solve(equations.detach(), bodies.closes)
    value, after, before = residual(equations[:, None], turns)
    step, determinant = newton_step(value, after.detach(), before.detach())
    firm = exists & (determinant.abs() > _SINGULAR)
    step = torch.where(firm[..., None], step / torch.where(firm, determinant, 1.0)[..., None], 0.0)
    turns = turns - (step - step.detach())  # implicit function theorem: dτ = -J⁻¹ dF
    coords = torch.where(exists[..., None, None], bodies.atoms(turns) + flat[3][:, None, 2:3], 0.0)
    size = determinant.detach().abs() * exists
    found = (coords, turns, exists, exists & (size < _NEAR_DOUBLE), size, _torsion_jacobian(coords.detach()))
    return Closures(*(x.reshape(*batch, *x.shape[1:]) for x in found))


def _torsion_jacobian(coords: Float[Tensor, "batch solutions 9 3"]) -> Float[Tensor, "batch solutions"]:
    """|det| of what each unit turn about N-A and A-C does to the last C: its axis, and the way it moves."""
    start = coords[:, :, (0, 1, 3, 4, 6, 7)]
    axis = coords[:, :, (1, 2, 4, 5, 7, 8)] - start
    axis = axis / axis.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(axis.dtype).tiny)
    moves = torch.linalg.cross(axis, coords[:, :, 8:] - start)
    return torch.linalg.det(torch.cat((axis, moves), dim=-1)).abs()
