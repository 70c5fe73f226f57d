"""A start whose bonds have their ideal lengths, for generators that keep bond lengths as they are."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..forcefield import PositionRestraint, ideal_bond_lengths
from ..geometry import InternalCoordinates, Tree
from ..shapes import Coords, Energies, Energy
from ..structure import Structure, Topology
from .minimise import minimise

STIFFNESS = 30_000.0  # kcal/mol/Å²: ten times the force field's, so that strain stretches bonds ten times less
HELD = 50.0  # kcal/mol/Å² that hold each atom where it is while bonds become ideal


@dataclass(frozen=True, eq=False)
class StiffBonds:
    """½ k (d - ideal)² of bonds.

    Args:
        bonds: Pairs of atoms.
        ideal: Their ideal lengths, in Å.
        stiffness: k, in kcal/mol/Å².
    """

    bonds: Int[Tensor, "bonds 2"]
    ideal: Float[Tensor, "bonds"]
    stiffness: float = STIFFNESS

    @classmethod
    def of(cls, topology: Topology, coords: Float[Tensor, "atoms 3"]) -> "StiffBonds":
        """All bonds between heavy protein atoms."""
        blank = torch.zeros(topology.n_atoms)
        bonds, ideal = ideal_bond_lengths(Structure(topology, coords, blank, blank))
        return cls(bonds.to(coords.device), ideal.to(coords))

    def chosen(self, keep: Tensor) -> "StiffBonds":
        """Some of the bonds."""
        return replace(self, bonds=self.bonds[keep], ideal=self.ideal[keep])

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        apart = coords[..., self.bonds[:, 0], :] - coords[..., self.bonds[:, 1], :]
        strain = (apart.square().sum(-1) + 1e-12).sqrt() - self.ideal.to(coords)
        return 0.5 * self.stiffness * strain.square().sum(-1)


def with_ideal_bonds(
    energy: Energy,
    mobile: Bool[Tensor, "atoms"],
    topology: Topology,
    coords: Float[Tensor, "atoms 3"],
    max_steps: int = 100,
) -> Float[Tensor, "atoms 3"]:
    """The conformation near `coords` whose bonds of mobile atoms are ideal: first by stiff springs, then exactly.

    Exact are the bonds of the tree of internal coordinates; the bond that closes a ring is as good as the springs.

    Args:
        energy: What else decides where the atoms go.
        mobile: Atoms that may move.
        topology: The atoms.
        coords: Where they are, in Å.
        max_steps: Steps of the minimisation.
    """
    stiff = StiffBonds.of(topology, coords)
    if not len(stiff.bonds):
        return coords.double()
    stiff = stiff.chosen(mobile.to(coords.device)[stiff.bonds].all(-1))

    def strained(coords: Coords) -> Energies:
        return energy(coords) + stiff(coords)

    near = minimise(strained, coords, mobile=mobile, max_steps=max_steps).coords
    tree = Tree.of(topology).to(coords.device)
    internal = InternalCoordinates.from_cartesian(tree, near.double())
    lengths = internal.lengths.clone()
    first, second = stiff.bonds.unbind(-1)
    for parent, child in ((first, second), (second, first)):
        tied = tree.parent[child] == parent
        lengths[child[tied]] = stiff.ideal[tied].double()
    return replace(internal, lengths=lengths).to_cartesian()


def held_with_ideal_bonds(
    mobile: Bool[Tensor, "atoms"], topology: Topology, coords: Float[Tensor, "atoms 3"]
) -> Float[Tensor, "atoms 3"]:
    """The nearest conformation whose bonds are ideal, whatever its energy: as near as the other angles let it."""
    return with_ideal_bonds(PositionRestraint(coords, HELD), mobile, topology, coords)
