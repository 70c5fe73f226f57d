"""Bond lengths, angles and torsions of a whole molecule, to and from Cartesian coordinates."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, TopologyMismatchError
from ..shapes import Coords
from .placement import place
from .rigid import Rigid
from .torsion import angle, dihedral, distance
from .tree import Tree


@dataclass(frozen=True, eq=False)
class InternalCoordinates:
    """Bond lengths, bond angles and torsions on a tree, and where its roots stand; differentiable both ways.

    The slot of an atom describes the bond to its parent; the slots of roots are not used. The first of several
    siblings leads: its torsion is the whole torsion about the bond, the others store what they are turned beyond
    it (Bond-Angle-Torsion convention), so that a new φ moves C and CB together.

    Args:
        tree: Who is placed from whom.
        lengths: Distance to the parent, in Å.
        angles: Angle at the parent, between grandparent and atom, in radians.
        torsions: Of leaders the torsion about grandparent-parent, of others what they add to it; in radians.
        roots: Frame of each root.
    """

    tree: Tree
    lengths: Float[Tensor, "*#batch atoms"]
    angles: Float[Tensor, "*#batch atoms"]
    torsions: Float[Tensor, "*#batch atoms"]
    roots: Rigid

    @classmethod
    def from_cartesian(cls, tree: Tree, coords: Coords) -> "InternalCoordinates":
        """The internal coordinates of atoms in space.

        Where three successive atoms are collinear the torsion reads 0: what hangs beyond them is then not
        restored exactly.

        Raises:
            TopologyMismatchError: The tree has another number of atoms.
        """
        if coords.shape[-2] != tree.n_atoms:
            raise TopologyMismatchError(tree.n_atoms, coords.shape[-2], "internal coordinates")
        tree = tree.to(coords.device)
        roots = _root_frames(tree, coords)
        everyone = torch.cat((coords, _imaginary(roots)), dim=-2)
        links = (tree.great_grandparent, tree.grandparent, tree.parent)
        great, grand, parent = (everyone.index_select(-2, link) for link in links)
        real = tree.parent < tree.n_atoms
        torsions = dihedral(great, grand, parent, coords)
        led = tree.leader != torch.arange(tree.n_atoms, device=coords.device)
        beyond = torsions - torsions.index_select(-1, tree.leader)
        torsions = torch.where(led, torch.remainder(beyond + math.pi, 2 * math.pi) - math.pi, torsions)
        slots = (distance(parent, coords), angle(grand, parent, coords), torsions)
        lengths, angles, torsions = (torch.where(real, slot, 0.0) for slot in slots)
        return cls(tree, lengths, angles, torsions, roots)

    def to_cartesian(self) -> Coords:
        """The atoms in space, in Å."""
        tree = self.tree
        led = tree.leader != torch.arange(tree.n_atoms, device=tree.device)
        torsions = self.torsions + torch.where(led, self.torsions.index_select(-1, tree.leader), 0.0)
        batch = torch.broadcast_shapes(
            *(slot.shape[:-1] for slot in (self.lengths, self.angles, torsions)), self.roots.batch[:-1]
        )
        lengths, angles, torsions = (slot.expand(*batch, -1) for slot in (self.lengths, self.angles, torsions))
        rotation = self.roots.rotation.expand(*batch, -1, 3, 3)
        translation = self.roots.translation.expand(*batch, -1, 3)
        return place(tree, lengths, angles, torsions, rotation, translation)

    def with_torsions(
        self, index: Int[Tensor, "chosen"], values: Float[Tensor, "*batch chosen"]
    ) -> "InternalCoordinates":
        """The same molecule with these torsions, in radians; leading dimensions of `values` make a batch.

        Raises:
            ConfigError: An index is -1: the tree has no such torsion.
        """
        if (index < 0).any():
            raise ConfigError("a torsion to set does not exist (index -1); choose with `index[index >= 0]`.")
        batch = torch.broadcast_shapes(self.torsions.shape[:-1], values.shape[:-1])
        torsions, values = self.torsions.expand(*batch, -1), values.expand(*batch, -1)
        return replace(self, torsions=torsions.index_copy(-1, index, values.to(torsions)))


def _root_frames(tree: Tree, coords: Coords) -> Rigid:
    """Frame of each root from its own atoms: x square to their plane, so that no bond of three lies along it."""
    a, b, c = (coords.index_select(-2, atom) for atom in tree.root_frame.unbind(-1))
    frame = Rigid.from_three_points(a, b, c)
    return Rigid(frame.rotation[..., (2, 0, 1)], frame.translation)


def _imaginary(roots: Rigid) -> Float[Tensor, "*batch imaginary 3"]:
    """The two atoms above each root: a parent 1 Å behind along x, and a grandparent beside that along y."""
    parent = roots.translation - roots.rotation[..., 0]
    return torch.stack((parent, parent + roots.rotation[..., 1]), dim=-2).flatten(-3, -2)
