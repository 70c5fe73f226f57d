"""Domains moved as wholes, with the chain between them bent evenly over a few residues."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...geometry import Rigid, Screw
from ...geometry.rotations import rotation_of
from ...structure import Topology

HALF_HINGE = 6  # residues on either side that share a bend


def bent(
    coords: Float[Tensor, "atoms 3"],
    topology: Topology,
    domain_of_residue: Int[Tensor, "residues"],
    motions: Rigid,
    half_hinge: int = HALF_HINGE,
) -> Float[Tensor, "atoms 3"]:
    """Coordinates after each domain's motion; near a hinge each residue makes a part of the turn between the two.

    Args:
        coords: In Å.
        topology: The atoms.
        domain_of_residue: Domain of each residue, its place among the motions.
        motions: Motion of each domain.
        half_hinge: Residues on either side of a hinge over which the bend is spread.
    """
    turns = motions.rotation[domain_of_residue]
    shifts = motions.translation[domain_of_residue]
    for first, half in _hinges(topology, domain_of_residue.cpu().numpy(), half_hinge):
        window = torch.arange(first - half + 1, first + half + 1, device=coords.device)
        share = (torch.arange(2 * half, device=coords.device) + 0.5).to(coords) / (2 * half)
        pivot = _pivot(coords, topology, first)
        before, after = (int(domain_of_residue[residue]) for residue in (first, first + 1))
        step = _between(motions, before, after, share, pivot)
        turns[window], shifts[window] = step.rotation, step.translation
    of_atom = torch.tensor(topology.residue_of_atom, device=coords.device)
    return (turns[of_atom] @ coords.unsqueeze(-1)).squeeze(-1) + shifts[of_atom]


def _hinges(topology: Topology, domains: np.ndarray, half: int) -> list[tuple[int, int]]:
    """The last residue before each change of domain along a chain, and over how many residues it may bend."""
    bounds = [*np.flatnonzero(~topology.follows).tolist(), topology.n_residues]
    changes = np.flatnonzero(topology.follows[1:] & (domains[1:] != domains[:-1])).tolist()
    stops = sorted({*changes, *(bound - 1 for bound in bounds)})
    found = []
    for change in changes:
        at = stops.index(change)
        before = change - stops[at - 1] if at else change + 1
        after = stops[at + 1] - change if at + 1 < len(stops) else topology.n_residues - 1 - change
        found.append((change, max(1, min(half, before // 2, after // 2))))
    return found


def _pivot(coords: Tensor, topology: Topology, residue: int) -> Float[Tensor, "3"]:
    """Between the two residues of a hinge."""
    atoms = topology.atom_index("CA")[[residue, residue + 1]]
    return coords[torch.from_numpy(atoms[atoms >= 0]).to(coords.device)].mean(0)


def _between(motions: Rigid, before: int, after: int, share: Tensor, pivot: Tensor) -> Rigid:
    """Motions on the way from one to another: the turn in even parts, the pivot on a straight line."""
    first = Rigid(motions.rotation[before], motions.translation[before])
    last = Rigid(motions.rotation[after], motions.translation[after])
    screw = Screw.of(first.inverse() @ last)
    half = 0.5 * share * screw.angle
    quaternion = torch.cat((half.cos()[:, None], half.sin()[:, None] * screw.axis), dim=-1)
    turns = first.rotation @ rotation_of(quaternion)
    ends = [one.apply(pivot[None]).squeeze(0) for one in (first, last)]
    places = ends[0] + share[:, None] * (ends[1] - ends[0])
    return Rigid(turns, places - (turns @ pivot))
