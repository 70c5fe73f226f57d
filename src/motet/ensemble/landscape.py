"""The density that torsion Monte Carlo draws from: Boltzmann's law on a molecule with fixed bond lengths."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..geometry import superpose
from ..shapes import Coords
from ..structure import Topology
from .articulation import Articulation
from .ideal_start import STIFFNESS, StiffBonds
from .movable import Movable


@dataclass(frozen=True, eq=False)
class Landscape:
    """Energy as a function of the free coordinates.

    Args:
        topology: The atoms.
        system: Energy of atoms in space.
        articulation: Free coordinates, and the atoms that follow.
        closing: Stiff springs of bonds that close a ring through free coordinates, such as disulfides.
        precision: Precision in which the system is evaluated; coordinates are placed in float64.
    """

    topology: Topology
    system: Movable
    articulation: Articulation
    closing: StiffBonds
    precision: torch.dtype

    @classmethod
    def of(
        cls, topology: Topology, system: Movable, start: Float[Tensor, "atoms 3"], precision: torch.dtype
    ) -> "Landscape":
        """The landscape whose reference is `start`: its bond lengths and stiff angles are kept."""
        articulation = Articulation.of(topology, start, system.mobile)
        bonds = StiffBonds.of(topology, start.double())
        return cls(topology, system, articulation, bonds.chosen(_loose(articulation, bonds, start)), precision)

    @property
    def ties(self) -> Int[Tensor, "2 ties"]:
        """The bonds that springs hold."""
        return self.closing.bonds.mT

    @cached_property
    def tie_stiffness(self) -> float:
        """Stiffness of those springs, in kcal/mol/Å²."""
        return STIFFNESS if self.ties.numel() else 0.0

    def atoms(self, q: Float[Tensor, "*batch free"]) -> Coords:
        """Atoms in space, in Å and float64."""
        return self.articulation.atoms(q)

    def energy(self, q: Float[Tensor, "*batch free"], coords: Coords | None = None) -> Float[Tensor, "*batch"]:
        """Energy of each conformation, springs included, in kcal/mol and float64."""
        at = self.atoms(q) if coords is None else coords
        energy = self.system(self._steady(at).to(self.precision)).double()
        return energy + self.closing(at) if self.ties.numel() else energy

    def _steady(self, coords: Coords) -> Coords:
        """The conformation laid on the reference, so that lists of pairs last longer; the energy does not mind.

        Only where nothing stands still: what the energy says of a free molecule does not depend on its pose.
        """
        if not self.free:
            return coords
        return superpose(coords.detach(), self.home).apply(coords)

    @cached_property
    def free(self) -> bool:
        """Whether every atom may move."""
        return bool(self.system.mobile.all())

    @cached_property
    def home(self) -> Coords:
        """Atoms at the reference, in Å."""
        with torch.no_grad():
            several = self.articulation.reference.lengths.shape[:-1]  # a path has a reference for each frame
            return self.atoms(self.articulation.zeros(*several))

    def log_density(
        self, q: Float[Tensor, "*batch free"], energy: Float[Tensor, "*batch"], thermal: Float[Tensor, "*#batch"]
    ) -> Float[Tensor, "*batch"]:
        """Logarithm of the density in q, up to a constant; `thermal` is kT in kcal/mol."""
        return self.articulation.log_measure(q) - energy / thermal

    def slope(
        self, q: Float[Tensor, "*batch free"], thermal: Float[Tensor, "*#batch"]
    ) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"], Float[Tensor, "*batch free"]]:
        """Energy, logarithm of the density, and the gradient of that logarithm."""
        with torch.enable_grad():
            at = q.detach().requires_grad_()
            energy = self.energy(at)
            log_density = self.log_density(at, energy, thermal)
            (gradient,) = torch.autograd.grad(log_density.sum(), at)
        return energy.detach(), log_density.detach(), gradient


def _loose(articulation: Articulation, bonds: StiffBonds, coords: Float[Tensor, "atoms 3"]) -> Tensor:
    """Bonds that are not in the tree, and whose ends move apart with some free coordinate."""
    tree = articulation.tree
    first, second = bonds.bonds.unbind(-1)
    outside = ((tree.parent[first] != second) & (tree.parent[second] != first)).nonzero().squeeze(-1)
    loose = torch.zeros(len(first), dtype=torch.bool, device=first.device)
    if articulation.size and len(outside):
        jacobian = articulation.jacobian(coords)
        i, j = first[outside], second[outside]
        apart = coords[i].double() - coords[j].double()
        stretch = ((jacobian[i] - jacobian[j]) * apart[..., None]).sum(1)
        loose[outside] = stretch.abs().amax(-1) > 1e-6
    return loose
