"""A force field and a map pulling at the same atoms: something that the minimiser and the dynamics can move."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...shapes import Coords, Energies, Energy, Summable
from ..movable import Movable


class Guided(Summable):
    """physics + prior + weight · target, with the masses and the mobile atoms of the physics.

    Args:
        physics: The force field on these atoms.
        target: How badly they explain the map, without a unit.
        weight: In kcal/mol.
        prior: What else is known of such atoms, in kcal/mol.
    """

    masses: Float[Tensor, "atoms"]
    mobile: Bool[Tensor, "atoms"]

    def __init__(self, physics: Movable, target: Energy, weight: float, prior: Energy | None = None) -> None:
        self.physics, self.target, self.weight, self.prior = physics, target, weight, prior
        self.names = (*physics.names, "prior", "density")
        self.masses, self.mobile = physics.masses, physics.mobile
        self.latest = (float("nan"), float("nan"))  # force field in kcal/mol and target, at the last call

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol."""
        own, other = self.physics(coords), self.target(coords)
        self.latest = (float(own.detach().mean()), float(other.detach().mean()))
        return own + self.weight * other + self._prior(coords)

    def terms(self, coords: Coords) -> Float[Tensor, "*batch terms"]:
        """Energy by term, in kcal/mol; the prior's and the map's come last."""
        own = self.physics.terms(coords)
        return torch.cat((own, torch.stack((self._prior(coords), self.weight * self.target(coords)), -1)), dim=-1)

    def _prior(self, coords: Coords) -> Energies:
        return coords.new_zeros(coords.shape[:-2]) if self.prior is None else self.prior(coords)

    def forget(self) -> None:
        """Drop what the force field kept from earlier calls."""
        self.physics.forget()
