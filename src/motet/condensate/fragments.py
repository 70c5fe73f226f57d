"""What the all-atom force field says of two residues that meet: a table by residue types, with gradients.

Each residue stands as a fragment cut from a disordered chain: itself between an acetyl and an N-methyl group,
its backbone and side chain drawn from what residues do in known structures. Two fragments are brought into contact
from random directions; the force field scores each pose against the same two fragments far apart.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..chem import ROTAMERS
from ..forcefield import Conditions, ForceField, System
from ..geometry import InternalCoordinates, Tree, backbone_from_torsions
from ..structure import Structure, concatenate, structure_from_backbone
from .sequences import LETTERS

POSES = 64
SEED = 0
APART = 100.0  # Å: no term reaches so far
NEAREST, FARTHEST = 2.8, 5.5  # Å between the closest two atoms of a pose
# φ, ψ of the polyproline, extended, right- and left-handed helical regions, in degrees, and their share in coil
REGIONS = ((-70.0, 145.0, 0.45), (-120.0, 130.0, 0.30), (-65.0, -40.0, 0.20), (57.0, 45.0, 0.05))
_AT_ONCE = 16  # poses of all pairs in one evaluation, to bound its memory
_STRONGEST = 20.0  # RT: a pose that binds more tightly than this is taken as binding just so


@dataclass(frozen=True, eq=False)
class Poses:
    """Pairs of fragments in contact, one structure a pair of residue types; coordinates are `poses atoms 3`.

    Args:
        pairs: Index into `LETTERS` of both fragments of each structure, the first no larger than the second.
        structures: Their atoms, in contact.
        first: Number of atoms of the first fragment of each structure.
    """

    pairs: Int[Tensor, "pairs 2"]
    structures: tuple[Structure, ...]
    first: tuple[int, ...]

    @property
    def coords(self) -> Float[Tensor, "poses atoms 3"]:
        """All structures end to end."""
        return torch.cat([one.coords for one in self.structures], dim=-2)

    @property
    def apart(self) -> Float[Tensor, "poses atoms 3"]:
        """The same with the second fragment of each structure carried out of reach."""
        shifts = torch.cat(
            [torch.arange(one.n_atoms) >= size for one, size in zip(self.structures, self.first, strict=True)]
        )
        return self.coords + APART * shifts[:, None]


def poses(count: int = POSES, seed: int = SEED) -> Poses:
    """The poses that the table is made of; the same seed gives the same poses."""
    generator = torch.Generator().manual_seed(seed)
    monomers = [fragment(letter, 2 * count, generator) for letter in LETTERS]
    pairs = torch.combinations(torch.arange(len(LETTERS)), with_replacement=True)
    joined = []
    for i, j in pairs.tolist():
        left = monomers[i].with_coords(monomers[i].coords[:count])
        right = monomers[j].with_coords(monomers[j].coords[count:])
        joined.append(concatenate(left, right.with_coords(_docked(left.coords, right.coords, generator))))
    return Poses(pairs, tuple(joined), tuple(monomers[i].n_atoms for i in pairs[:, 0].tolist()))


def fragment(letter: str, count: int, generator: torch.Generator) -> Structure:
    """Conformers of one residue between an acetyl and an N-methyl group; hydrogens are left to the force field."""
    shares = torch.tensor([share for *_, share in REGIONS])
    region = torch.multinomial(shares, count, replacement=True, generator=generator)
    wells = torch.deg2rad(torch.tensor([(phi, psi) for phi, psi, _ in REGIONS]))[region]
    phi, psi = (wells + math.radians(12.0) * torch.randn(count, 2, generator=generator)).unbind(-1)
    straight = torch.full_like(phi, math.pi)
    backbone = backbone_from_torsions(
        torch.stack((straight, phi, straight), -1), torch.stack((straight, psi, straight), -1)
    )
    whole = structure_from_backbone(f"G{letter}G", backbone, name=letter).completed()
    turned = whole.with_coords(_with_rotamers(whole, count, generator))
    names, owner = turned.topology.atom_names, turned.topology.residue_of_atom
    caps = (owner == 0) & np.isin(names, ("CA", "C", "O")) | (owner == 2) & np.isin(names, ("N", "CA"))
    return turned.subset((owner == 1) & (names != "OXT") | caps)


def _with_rotamers(whole: Structure, count: int, generator: torch.Generator) -> Float[Tensor, "count atoms 3"]:
    """Side chains in rotamers as common as in known structures; proline keeps the pucker of its template."""
    found = ROTAMERS.get(str(whole.topology.residue_names[1]), ())
    tree = Tree.of(whole.topology)
    index = tree.chi[1][tree.chi[1] >= 0]
    if not found or not len(index) or whole.topology.residue_names[1] == "PRO":
        return whole.coords
    drawn = torch.multinomial(
        torch.tensor([one.frequency for one in found]), count, replacement=True, generator=generator
    )
    chis = torch.tensor([one.chis for one in found])[drawn][:, : len(index)]
    chis = chis + math.radians(10.0) * torch.randn(chis.shape, generator=generator)
    internal = InternalCoordinates.from_cartesian(tree, whole.coords)
    return internal.with_torsions(index[: chis.shape[-1]], chis).to_cartesian()


def _docked(
    left: Float[Tensor, "poses left 3"], right: Float[Tensor, "poses right 3"], generator: torch.Generator
) -> Float[Tensor, "poses right 3"]:
    """The right fragment turned at random and moved in along a random line, up to the wanted closest distance."""
    count = len(left)
    quaternion = torch.nn.functional.normalize(torch.randn(count, 4, generator=generator), dim=-1)
    direction = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=-1)
    closest = NEAREST + (FARTHEST - NEAREST) * torch.rand(count, generator=generator)
    target = left.gather(1, torch.randint(left.shape[1], (count, 1, 1), generator=generator).expand(-1, 1, 3))
    turned = _rotated(right - right.mean(1, keepdim=True), quaternion) + target
    offset = turned[:, None] - left[:, :, None]  # poses left right 3
    along = (offset * direction[:, None, None]).sum(-1)
    aside = offset.square().sum(-1) - along.square()
    reach = (closest.square()[:, None, None] - aside).clamp_min(0.0).sqrt()
    meets = aside < closest.square()[:, None, None]
    # the last moment, coming from afar, at which some pair of atoms is as close as wanted
    shift = torch.where(meets, reach - along, -torch.inf).flatten(1).amax(-1)
    return turned + torch.where(shift.isfinite(), shift, 0.0)[:, None, None] * direction[:, None]


def _rotated(points: Float[Tensor, "poses atoms 3"], quaternion: Float[Tensor, "poses 4"]) -> Tensor:
    scalar, vector = quaternion[:, None, :1], quaternion[:, None, 1:]
    twice = 2.0 * torch.linalg.cross(vector.expand_as(points), points)
    return points + scalar * twice + torch.linalg.cross(vector.expand_as(points), twice)


class FragmentInteractions(nn.Module):
    """Free energy of contact of each pair of residue types by the force field, term by term, in kcal/mol.

    Args:
        force_field: Its weights and parameters take part in the graph.
        count: Poses of each pair.
    """

    def __init__(self, force_field: ForceField, count: int = POSES) -> None:
        super().__init__()
        self.force_field = force_field
        self.poses = poses(count)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms."""
        return self.force_field.names

    def forward(self, conditions: Conditions) -> Float[Tensor, "terms 20 20"]:
        """Mean change of each term on contact; poses count by Boltzmann's factor of the sum of all terms."""
        contact = self.pose_energies(conditions)
        total = contact.sum(-1) / conditions.thermal_energy
        share = torch.softmax(-total.clamp(-_STRONGEST, _STRONGEST), dim=0)
        mean = (share[..., None] * contact).sum(0)  # pairs terms
        i, j = self.poses.pairs.unbind(-1)
        row = torch.zeros(len(LETTERS), len(LETTERS), dtype=torch.int64)
        row[i, j] = row[j, i] = torch.arange(len(i))
        return mean.mT[:, row.to(mean.device)]

    def pose_energies(self, conditions: Conditions) -> Float[Tensor, "poses pairs terms"]:
        """Energy of each pose against the two fragments far apart."""
        system = System(self.force_field, self.poses.structures, conditions)
        device = self.force_field.weights.device
        together, apart = self.poses.coords.to(device), self.poses.apart.to(device)
        batches = zip(together.split(_AT_ONCE), apart.split(_AT_ONCE), strict=True)
        found = [system.terms(torch.cat(both)).chunk(2) for both in batches]
        return torch.cat([near - far for near, far in found])
