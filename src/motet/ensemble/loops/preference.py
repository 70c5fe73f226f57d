"""Which closed backbones look most like a native loop, before side chains are known.

Three things that natives have more of than random closures, each in standard deviations of those built of the
same loop: likely torsions, neighbours about the side chains, and hydrogen bonds of the backbone. Neighbours tell
most and count twice: on 17 loops of other proteins than the benchmark's this put better ones first than equal
weights did, or weights fitted to the other 16.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...geometry.loops import Gap, TorsionMaps
from .region import Region

_CENTRE = 2.4  # Å from CA through CB, where a side chain's centre is taken to be
_AROUND = 8.0  # Å
_BOND, _SLACK = 2.95, 0.35  # Å, N to O of a hydrogen bond
_APART = 3  # residues between which a hydrogen bond of the loop with itself counts
_AT_ONCE = 500
_MARGIN = 4.0  # Å that a conformation may leave the box of those it is compared with
_WEIGHTS = (1.0, -2.0, -1.0)  # of unlikely torsions, neighbours, hydrogen bonds

Loops = Float[Tensor, "conformations residues 5 3"]


@dataclass(frozen=True, eq=False)
class Preference:
    """What conformations of a loop are chosen by; lower is better.

    Args:
        gap: The loop.
        maps: How likely its torsions are.
        atoms: Fixed heavy atoms around it, in Å.
        nitrogens: Those that may give a hydrogen bond.
        oxygens: Those that may take one.
        mean: Of each part of the score, among conformations that were built.
        spread: Their standard deviation.
    """

    gap: Gap
    maps: TorsionMaps
    atoms: Float[Tensor, "atoms 3"]
    nitrogens: Float[Tensor, "nitrogens 3"]
    oxygens: Float[Tensor, "oxygens 3"]
    mean: Float[Tensor, "3"]
    spread: Float[Tensor, "3"]

    @classmethod
    def around(cls, region: Region, gap: Gap, maps: TorsionMaps, loops: Loops) -> "Preference":
        """The preference in a surrounding, on a raw scale; where these conformations are, and a little beyond."""
        topology = region.structure.topology
        outside = ~topology.is_hydrogen & ~np.isin(topology.residue_of_atom, (region.before, region.before + 1))
        atoms = region.structure.coords.to(loops)[torch.from_numpy(np.flatnonzero(outside))]
        elements = topology.elements[outside]
        reach = _AROUND + _MARGIN
        low, high = loops.amin((0, 1, 2)) - reach, loops.amax((0, 1, 2)) + reach
        near = ((atoms > low) & (atoms < high)).all(-1)
        nitrogens, oxygens = (near & torch.from_numpy(elements == name).to(near.device) for name in "NO")
        unit = atoms.new_ones(3)
        return cls(gap, maps, atoms[near], atoms[nitrogens], atoms[oxygens], 0 * unit, unit)

    def among(self, parts: Float[Tensor, "conformations 3"]) -> "Preference":
        """The same on the scale of conformations that have these parts."""
        spread = parts.std(0, correction=0)
        return replace(self, mean=parts.mean(0), spread=torch.where(spread > 0, spread, 1.0))

    def __call__(self, loops: Loops) -> Float[Tensor, "conformations"]:
        """Weighted sum of the three standard scores."""
        return self.total(self.parts(loops))

    def total(self, parts: Float[Tensor, "conformations 3"]) -> Float[Tensor, "conformations"]:
        """The same, of the parts."""
        return ((parts - self.mean) / self.spread * parts.new_tensor(_WEIGHTS)).sum(-1)

    def parts(self, loops: Loops) -> Float[Tensor, "conformations 3"]:
        """-ln of the density of all torsions, neighbours, hydrogen bonds."""
        heights = self.maps.heights(1, *self.gap.torsions(loops)).sum(-1)
        counted = [
            torch.stack((self._neighbours(some), self._bonds(some)), dim=-1) for some in loops.split(_AT_ONCE)
        ]
        return torch.cat((heights[:, None], torch.cat(counted)), dim=-1)

    def _neighbours(self, loops: Loops) -> Float[Tensor, "conformations"]:
        """Fixed heavy atoms about the side-chain centres."""
        alpha, beta = loops[:, :, 1], loops[:, :, 4]
        centre = alpha + _CENTRE * torch.nn.functional.normalize(beta - alpha, dim=-1)
        close = torch.cdist(centre.flatten(0, 1).float(), self.atoms.float()) < _AROUND
        return close.unflatten(0, alpha.shape[:2]).float().sum((-2, -1)).to(loops.dtype)

    def _bonds(self, loops: Loops) -> Float[Tensor, "conformations"]:
        """Backbone N and O at the distance of a hydrogen bond from fixed atoms, and from each other."""
        n, o = loops[:, :, 0], loops[:, :, 3]
        own = torch.cdist(n, o)
        index = torch.arange(n.shape[1], device=n.device)
        far = (index[:, None] - index).abs() >= _APART
        outside = _bonded(torch.cdist(n, self.oxygens)) + _bonded(torch.cdist(o, self.nitrogens))
        return outside + _bonded(torch.where(far, own, torch.inf))


def _bonded(distance: Float[Tensor, "conformations a b"]) -> Float[Tensor, "conformations"]:
    return ((distance - _BOND).abs() < _SLACK).sum((-2, -1)).to(distance.dtype)
