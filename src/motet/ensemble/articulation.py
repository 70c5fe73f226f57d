"""A molecule as a chain of rigid pieces: the few coordinates that turn, and the atoms that follow from them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..geometry import InternalCoordinates, Rigid, Tree
from ..shapes import Coords
from ..structure import Topology


@dataclass(frozen=True, eq=False)
class Articulation:
    """Free coordinates q of a molecule with fixed bond lengths: torsions, bends, and where whole chains stand.

    The measure is that of Cartesian space with the other internal coordinates held: `log_measure` holds what bends
    and rotation vectors add to a flat one.

    Args:
        reference: Internal coordinates at q = 0, in float64.
        torsions: Atoms whose torsion is free (leaders: what hangs beside them turns along).
        bends: Atoms whose angle to their grandparent is free.
        poses: Trees that move as a whole, by a rotation vector about `pivots` and a shift.
        pivots: Centres of those trees, in Å.
    """

    reference: InternalCoordinates
    torsions: Int[Tensor, "torsions"]
    bends: Int[Tensor, "bends"]
    poses: Int[Tensor, "poses"]
    pivots: Float[Tensor, "poses 3"]

    @classmethod
    def of(
        cls, topology: Topology, coords: Float[Tensor, "atoms 3"], mobile: Bool[Tensor, "atoms"]
    ) -> "Articulation":
        """The free coordinates of a structure; what would carry an immobile atom along is not free.

        Free are φ (but proline's, whose ring would break), ψ, ω and χ, the angle N-CA-C, and the pose of each
        chain where there is something else to move against.
        """
        tree = Tree.of(topology).to(coords.device)
        reference = InternalCoordinates.from_cartesian(tree, coords.double())
        free = _carries_only(tree, mobile.to(coords.device))
        torsions = _rotatable(topology, tree)
        bends = torch.from_numpy(_backbone_ends(topology)).to(coords.device)
        bends = bends[(tree.parent[bends] < tree.n_atoms) & free[bends]]
        bends = bends[_bends_nothing_else(tree, bends)]
        poses = free[tree.roots].nonzero().squeeze(-1)
        if len(tree.roots) == 1:
            poses = poses[:0]
        pivots = coords.new_zeros(len(tree.roots), 3, dtype=torch.float64)
        count = coords.new_zeros(len(tree.roots), 1, dtype=torch.float64)
        pivots.index_add_(0, tree.tree_of_atom, coords.double())
        count.index_add_(0, tree.tree_of_atom, torch.ones_like(coords[:, :1], dtype=torch.float64))
        return cls(reference, torsions[free[torsions]], bends, poses, (pivots / count)[poses])

    @property
    def tree(self) -> Tree:
        """Who is placed from whom."""
        return self.reference.tree

    @property
    def size(self) -> int:
        """Number of free coordinates."""
        return len(self.torsions) + len(self.bends) + 6 * len(self.poses)

    def zeros(self, *batch: int) -> Float[Tensor, "*batch free"]:
        """The reference itself."""
        return self.reference.lengths.new_zeros(*batch, self.size)

    def atoms(self, q: Float[Tensor, "*batch free"]) -> Coords:
        """The atoms in space, in Å and float64."""
        reference, (turns, bends, poses) = self.reference, self._parts(q)
        roots = reference.roots
        if len(self.poses):
            vector, shift = poses.unflatten(-1, (-1, 6)).split(3, dim=-1)
            turn = torch.matrix_exp(_skew(vector))
            arm = roots.translation[..., self.poses, :] - self.pivots
            place = (turn @ arm[..., None]).squeeze(-1) + self.pivots + shift
            batch = q.shape[:-1]
            roots = Rigid(
                roots.rotation.expand(*batch, -1, 3, 3).index_copy(
                    -3, self.poses, turn @ roots.rotation[..., self.poses, :, :]
                ),
                roots.translation.expand(*batch, -1, 3).index_copy(-2, self.poses, place),
            )
        return InternalCoordinates(
            reference.tree,
            reference.lengths,
            _added(reference.angles, self.bends, bends),
            _added(reference.torsions, self.torsions, turns),
            roots,
        ).to_cartesian()

    def log_measure(self, q: Float[Tensor, "*batch free"]) -> Float[Tensor, "*batch"]:
        """Logarithm of the volume element: sin of each bent angle, and Haar's measure of each rotation vector."""
        _, bends, poses = self._parts(q)
        bent = (self.reference.angles[..., self.bends] + bends).sin().clamp_min(1e-6).log().sum(-1)
        half = 0.5 * poses.unflatten(-1, (-1, 6))[..., :3].square().sum(-1).clamp_min(1e-12).sqrt()
        return bent + 2 * (half.sin().abs().clamp_min(1e-12) / half).log().sum(-1)

    def jacobian(self, coords: Float[Tensor, "atoms 3"]) -> Float[Tensor, "atoms 3 free"]:
        """How each atom moves with each coordinate, in Å/rad, where the poses stand at the reference."""
        tree, coords = self.tree, coords.double()
        parent, above = tree.parent[self.torsions], tree.grandparent[self.torsions]
        turning = _turned(tree, coords, coords[parent] - coords[above], parent, parent)
        parent, above = tree.parent[self.bends], tree.grandparent[self.bends]
        across = torch.linalg.cross(coords[above] - coords[parent], coords[self.bends] - coords[parent])
        parts = [turning, _turned(tree, coords, across, parent, self.bends), self._posing(coords)]
        return torch.cat(parts, dim=-1)

    def _posing(self, coords: Float[Tensor, "atoms 3"]) -> Float[Tensor, "atoms 3 six_poses"]:
        own = self.tree.tree_of_atom[:, None] == self.poses  # atoms poses
        arm = coords[:, None] - self.pivots
        axes = torch.eye(3, dtype=coords.dtype, device=coords.device)
        turn = torch.linalg.cross(axes.expand(*arm.shape[:2], 3, 3), arm[:, :, None].expand(-1, -1, 3, -1))
        moved = torch.cat((turn, axes.expand_as(turn)), dim=2) * own[:, :, None, None]
        return moved.flatten(1, 2).mT

    def _parts(self, q: Tensor) -> tuple[Tensor, ...]:
        return q.split([len(self.torsions), len(self.bends), 6 * len(self.poses)], dim=-1)


def _added(slots: Tensor, index: Tensor, change: Tensor) -> Tensor:
    whole = slots.expand(*change.shape[:-1], -1)
    return whole.index_add(-1, index, change)


def _turned(
    tree: Tree,
    coords: Float[Tensor, "atoms 3"],
    axis: Float[Tensor, "chosen 3"],
    centre: Int[Tensor, "chosen"],
    top: Int[Tensor, "chosen"],
) -> Float[Tensor, "atoms 3 chosen"]:
    """Velocity of each atom of the subtree of `top` when it turns about an axis through `centre`."""
    axis = axis / axis.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    place = tree.first[:, None]  # an atom's own place in preorder
    below = (place >= tree.first[top]) & (place < tree.last[top])
    arm = coords[:, None] - coords[centre]
    return (torch.linalg.cross(axis.expand_as(arm), arm) * below[..., None]).mT


def _skew(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))


def _carries_only(tree: Tree, mobile: Bool[Tensor, "atoms"]) -> Bool[Tensor, "atoms"]:
    """Atoms whose whole subtree may move."""
    fixed = (~mobile)[tree.preorder].long().cumsum(0)
    fixed = torch.cat((fixed.new_zeros(1), fixed))
    return fixed[tree.last] == fixed[tree.first]


def _rotatable(topology: Topology, tree: Tree) -> Int[Tensor, "torsions"]:
    """Atoms at the end of a free torsion, along the chain."""
    proline = torch.from_numpy(_closed_by_ring(topology)).to(tree.device)
    phi = torch.where(proline, -1, tree.phi)
    chi = torch.where(proline[:, None], -1, tree.chi)
    found = torch.cat((phi[:, None], tree.psi[:, None], tree.omega[:, None], chi), dim=1).flatten()
    return found[found >= 0]


def _closed_by_ring(topology: Topology) -> np.ndarray:
    """Residues whose side chain is bonded back to their N."""
    n = topology.atom_index("N")
    names, residue = topology.atom_names, topology.residue_of_atom
    closed = np.zeros(topology.n_residues, dtype=bool)
    for a, b in topology.bonds:
        if residue[a] == residue[b] and n[residue[a]] in (a, b):
            other = b if n[residue[a]] == a else a
            closed[residue[a]] |= names[other] != "CA" and topology.elements[other] != "H"
    return closed


def _backbone_ends(topology: Topology) -> np.ndarray:
    """C of each protein residue: its angle is N-CA-C."""
    carbons = topology.atom_index("C")
    return carbons[(carbons >= 0) & (topology.residue_kinds == "protein") & ~_closed_by_ring(topology)]


def _bends_nothing_else(tree: Tree, bends: Int[Tensor, "bends"]) -> Bool[Tensor, "bends"]:
    return tree.grandparent[bends] < tree.n_atoms
