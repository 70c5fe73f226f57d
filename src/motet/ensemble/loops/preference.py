"""Which closed backbones look most like a native loop, before side chains are known.

Three things that natives have more of than random closures, each measured against the others of the same loop and
weighed alike: likely torsions, neighbours about the side chains, and hydrogen bonds of the backbone. Nothing is
fitted.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...geometry.loops import Built
from .region import Region

_CENTRE = 2.4  # Å from CA through CB, where a side chain's centre is taken to be
_AROUND = 8.0  # Å
_BOND, _SLACK = 2.95, 0.35  # Å, N to O of a hydrogen bond
_APART = 3  # residues between which a hydrogen bond of the loop with itself counts
_AT_ONCE = 500


def preference(region: Region, built: Built) -> Float[Tensor, "conformations"]:
    """Sum of three standard scores; lower is better."""
    topology = region.structure.topology
    outside = ~topology.is_hydrogen & ~np.isin(topology.residue_of_atom, (region.before, region.before + 1))
    atoms = region.structure.coords.to(built.atoms)[torch.from_numpy(np.flatnonzero(outside))]
    elements = topology.elements[outside]
    low, high = (built.atoms.amin((0, 1, 2)) - _AROUND, built.atoms.amax((0, 1, 2)) + _AROUND)
    near = ((atoms > low) & (atoms < high)).all(-1)
    nitrogens, oxygens = (near & torch.from_numpy(elements == name).to(near.device) for name in "NO")
    parts = [
        (_neighbours(some, atoms[near]), _bonds(some, atoms[nitrogens], atoms[oxygens]))
        for some in built.atoms.split(_AT_ONCE)
    ]
    neighbours, bonds = (torch.cat(one) for one in zip(*parts, strict=True))
    return _standard(built.heights.sum(-1)) - _standard(neighbours) - _standard(bonds)


def _neighbours(
    loop: Float[Tensor, "conformations residues 5 3"], atoms: Float[Tensor, "atoms 3"]
) -> Float[Tensor, "conformations"]:
    """Fixed heavy atoms about the side-chain centres."""
    alpha, beta = loop[:, :, 1], loop[:, :, 4]
    centre = alpha + _CENTRE * torch.nn.functional.normalize(beta - alpha, dim=-1)
    close = torch.cdist(centre.flatten(0, 1), atoms) < _AROUND
    return close.sum(-1).reshape(alpha.shape[:2]).sum(-1).to(loop.dtype)


def _bonds(
    loop: Float[Tensor, "conformations residues 5 3"],
    nitrogens: Float[Tensor, "nitrogens 3"],
    oxygens: Float[Tensor, "oxygens 3"],
) -> Float[Tensor, "conformations"]:
    """Backbone N and O at the distance of a hydrogen bond from fixed atoms, and from each other."""
    n, o = loop[:, :, 0], loop[:, :, 3]
    own = torch.cdist(n, o)
    index = torch.arange(n.shape[1], device=n.device)
    far = (index[:, None] - index).abs() >= _APART
    outside = _bonded(torch.cdist(n, oxygens)) + _bonded(torch.cdist(o, nitrogens))
    return outside + _bonded(torch.where(far, own, torch.inf))


def _bonded(distance: Float[Tensor, "conformations a b"]) -> Float[Tensor, "conformations"]:
    return ((distance - _BOND).abs() < _SLACK).sum((-2, -1)).to(distance.dtype)


def _standard(values: Float[Tensor, "conformations"]) -> Float[Tensor, "conformations"]:
    """Deviations from the mean in standard deviations."""
    spread = values.std(correction=0)
    return (values - values.mean()) / torch.where(spread > 0, spread, 1.0)
