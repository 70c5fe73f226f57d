"""Clashes: overlaps of 0.4 Å or more, hydrogens included (Word et al., J. Mol. Biol. 285 (1999) 1711).

Spheres are sampled where they face each other. A sample inside an atom that its own atom is bonded to, up to three
bonds away (four where a hydrogen is at either end), does not count, and each sample counts for the one neighbour
that it lies deepest in; so a clash with a methyl is one with its hydrogens.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from torch import Tensor

from ..geometry import neighbour_pairs
from ..structure import Topology
from .contact_atoms import ContactAtoms, contact_atoms

CLASH = 0.4  # Å of overlap
HYDROGEN_BOND, SALT_BRIDGE = 0.6, 0.8  # Å of overlap that a hydrogen bond may have before it counts
BONDS, BONDS_OF_HYDROGEN = 3, 4  # how far along bonds atoms belong together
RINGS = (0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 38.0, 46.0, 55.0, 65.0)  # degrees off the line between two atoms
AROUND = 12  # samples a ring
MOST = 48  # neighbours that one atom is shared out among
CHUNK = 1 << 21  # distances looked at together


@dataclass(frozen=True, eq=False)
class Clashes:
    """Pairs of atoms that clash, each once.

    Args:
        topology: The atoms, with their hydrogens.
        model: Conformation of each clash.
        atoms: The two atoms.
        overlap: In Å, less what a hydrogen bond may have.
        score: Clashes in 1,000 atoms (of everything but water), of each conformation.
    """

    topology: Topology
    model: Int[Tensor, "clashes"]
    atoms: Int[Tensor, "clashes 2"]
    overlap: Float[Tensor, "clashes"]
    score: Float[Tensor, "models"]


def clashes(topology: Topology, coords: Float[Tensor, "models atoms 3"]) -> Clashes:
    """Clashes of each conformation; the topology has its hydrogens, whose bonds may be as long as they like."""
    atoms = contact_atoms(topology)
    places = _clouds(coords.detach().double(), atoms)
    count = int((~atoms.water).sum())
    flat, radii = places.reshape(-1, 3), atoms.radii.repeat(len(places))
    group = torch.arange(len(places)).repeat_interleave(topology.n_atoms)
    pairs = neighbour_pairs(flat, 2 * max(radii.tolist(), default=1.0), group=group)
    touching = (flat[pairs[0]] - flat[pairs[1]]).norm(dim=-1) < radii[pairs[0]] + radii[pairs[1]]
    own = _Belonging(topology)
    i, j = pairs[:, touching]
    strange = ~own.together(i % topology.n_atoms, j % topology.n_atoms)
    i, j = i[strange], j[strange]
    first, second = i % topology.n_atoms, j % topology.n_atoms
    allowed = _allowance(atoms, first, second)
    overlap = _overlaps(flat, radii, own, i, j) - allowed
    apart = (atoms.water[first] & atoms.water[second]) | atoms.ion[first] | atoms.ion[second]
    bad = (overlap >= CLASH) & ~apart
    model = i[bad] // topology.n_atoms
    score = 1000.0 * torch.bincount(model, minlength=len(places)) / max(count, 1)
    return Clashes(
        topology, model, torch.stack((first[bad], second[bad]), -1), overlap[bad].to(coords.dtype), score
    )


def _clouds(coords: Float[Tensor, "models atoms 3"], atoms: ContactAtoms) -> Float[Tensor, "models atoms 3"]:
    """Hydrogens at the centre of their electron cloud, along the bond that they are on."""
    bond = coords - coords[:, torch.from_numpy(atoms.holder)]
    length = bond.norm(dim=-1, keepdim=True)
    moved = coords - bond * (1 - atoms.cloud[:, None] / length.clamp_min(1e-6))
    return torch.where((atoms.cloud > 0)[:, None], moved, coords)


def _allowance(atoms: ContactAtoms, i: Tensor, j: Tensor) -> Float[Tensor, "pairs"]:
    """Overlap that a hydrogen bond may have; a water may turn a hydrogen to any acceptor."""
    donor, acceptor = atoms.donor | atoms.water, atoms.acceptor
    bonded = (donor[i] & acceptor[j]) | (acceptor[i] & donor[j])
    salt = bonded & atoms.charged[i] & atoms.charged[j]
    return torch.where(salt, SALT_BRIDGE, torch.where(bonded, HYDROGEN_BOND, 0.0)).double()


class _Belonging:
    """Which atoms belong together by the bonds between them."""

    def __init__(self, topology: Topology) -> None:
        pairs, n = topology.bonds.reshape(-1, 2), topology.n_atoms
        a, b = np.concatenate((pairs, pairs[:, ::-1])).T
        itself = np.arange(n)
        step = sparse.csr_array(
            (np.ones(len(a) + n, dtype=bool), (np.append(a, itself), np.append(b, itself))), shape=(n, n)
        )
        near = step
        for _ in range(BONDS - 1):
            near = near @ step
        far = near
        for _ in range(BONDS_OF_HYDROGEN - BONDS):
            far = far @ step
        (row, column), (i, j) = near.nonzero(), far.nonzero()
        wide = topology.is_hydrogen[i] | topology.is_hydrogen[j]
        key = np.unique(np.append(row * np.int64(n) + column, i[wide] * np.int64(n) + j[wide]))
        key = key[key // max(n, 1) != key % max(n, 1)]
        self.atoms = n
        self._key = torch.from_numpy(key)
        self._column = torch.from_numpy(key % max(n, 1))
        self._start = torch.from_numpy(np.searchsorted(key, np.arange(n + 1) * np.int64(n)))

    def together(self, i: Tensor, j: Tensor) -> Tensor:
        """Whether the members of pairs belong together."""
        return torch.isin(i * self.atoms + j, self._key)

    def of(self, atoms: Int[Tensor, "some"]) -> Int[Tensor, "some most"]:
        """Atoms of one conformation that belong to each, filled up with -1."""
        count = self._start[atoms + 1] - self._start[atoms]
        steps = torch.arange(int(count.max()) if len(atoms) else 0)
        index = (self._start[atoms, None] + steps).clamp_max(max(len(self._column) - 1, 0))
        return torch.where(steps < count[:, None], self._column[index], -1)


def _overlaps(
    places: Float[Tensor, "atoms 3"], radii: Float[Tensor, "atoms"], own: _Belonging, i: Tensor, j: Tensor
) -> Float[Tensor, "pairs"]:
    """Deepest overlap of each pair that is not covered, from either side, in Å."""
    line = radii[i] + radii[j] - (places[i] - places[j]).norm(dim=-1)
    overlap = torch.zeros_like(line)
    worth = (line >= CLASH).nonzero().squeeze(-1)
    partners = _partners(len(places), i, j)
    for first, second in ((i, j), (j, i)):
        for some in worth.split(max(1, CHUNK // (len(RINGS) * AROUND * 96))):
            found = _from_one_side(places, radii, own, partners, first[some], second[some])
            overlap[some] = torch.maximum(overlap[some], found)
    return overlap


def _partners(n: int, i: Tensor, j: Tensor) -> Int[Tensor, "atoms most"]:
    """Atoms that each touches, filled up with -1; a few dozen of them where everything lies on one heap."""
    owner, order = torch.cat((i, j)).sort(stable=True)
    other = torch.cat((j, i))[order]
    count = torch.bincount(owner, minlength=n)
    start = count.cumsum(0) - count
    rank = torch.arange(len(owner)) - start[owner]
    found = torch.full((n, min(int(count.max()), MOST) if len(owner) else 0), -1)
    found[owner[rank < MOST], rank[rank < MOST]] = other[rank < MOST]
    return found


def _from_one_side(
    places: Tensor, radii: Tensor, own: _Belonging, partners: Tensor, source: Tensor, target: Tensor
) -> Float[Tensor, "pairs"]:
    """Deepest sample of the source's surface in the target, among those that belong to no other atom."""
    samples = places[source, None] + radii[source, None, None] * _cap(places[target] - places[source])
    depth = radii[target, None] - (samples - places[target, None]).norm(dim=-1)
    offset = source - source % own.atoms  # first atom of the conformation
    inside = own.of(source % own.atoms)
    covering = torch.where(inside >= 0, inside + offset[:, None], -1)
    free = _depth_in(samples, places, radii, covering) <= 0
    others = partners[source]
    others = torch.where(others == target[:, None], -1, others)
    free &= _depth_in(samples, places, radii, others) <= depth
    return torch.where(free, depth, 0.0).amax(-1).clamp_min(0)


def _depth_in(samples: Tensor, places: Tensor, radii: Tensor, atoms: Int[Tensor, "pairs most"]) -> Tensor:
    """How deep each sample lies in the atom of a list that it lies deepest in; negative outside all."""
    if not atoms.shape[1]:
        return samples.new_full(samples.shape[:-1], -torch.inf)
    index = atoms.clamp_min(0)
    apart = torch.cdist(samples, places[index], compute_mode="donot_use_mm_for_euclid_dist")
    depth = radii[index][:, None] - apart
    return depth.masked_fill((atoms < 0)[:, None], -torch.inf).amax(-1)


def _cap(axis: Float[Tensor, "pairs 3"]) -> Float[Tensor, "pairs samples 3"]:
    """Directions on rings about an axis."""
    ahead = torch.nn.functional.normalize(axis, dim=-1)
    least = torch.nn.functional.one_hot(ahead.abs().argmin(-1), 3).to(ahead)
    side = torch.nn.functional.normalize(torch.linalg.cross(ahead, least), dim=-1)
    up = torch.linalg.cross(ahead, side)
    tilt = torch.tensor(RINGS, dtype=ahead.dtype).deg2rad().repeat_interleave(AROUND)
    turn = (torch.arange(AROUND, dtype=ahead.dtype) * (math.tau / AROUND)).repeat(len(RINGS))
    weights = torch.stack((tilt.cos(), tilt.sin() * turn.cos(), tilt.sin() * turn.sin()), -1)
    return weights @ torch.stack((ahead, side, up), 1)
