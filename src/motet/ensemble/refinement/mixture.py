"""One map, several states: conformations and their shares fitted together."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from scipy.optimize import nnls
from torch import Tensor

from ...density import DensityMap, MapCorrelation, MixtureDensity, ModelDensity, balance
from ...errors import ConfigError
from ...forcefield import ForceField
from ...shapes import Coords, Energies
from ..ensemble import Ensemble
from ..minimise import minimise
from .guided import Guided

CYCLES, STEPS, RATIO = 4, 40, 0.05


class Together:
    """Force field of states laid end to end, which do not see each other: their energies, weighted and added."""

    masses: Float[Tensor, "atoms"]
    mobile: Bool[Tensor, "atoms"]

    def __init__(self, ensemble: Ensemble, force_field: ForceField) -> None:
        one = ensemble.structure.model(0)
        self._system = force_field.bind([one] * len(ensemble))
        self._weights = ensemble.weights * len(ensemble)
        self.names = self._system.names
        self.masses, self.mobile = self._system.masses, self._system.mobile

    def __call__(self, coords: Coords) -> Energies:
        """Energy of all states, in kcal/mol."""
        return (self._system(coords) * self._weights.to(coords)).sum(-1)

    def terms(self, coords: Coords) -> Float[Tensor, "*batch terms"]:
        """Energy by term, in kcal/mol."""
        return (self._system.terms(coords) * self._weights.to(coords)[:, None]).sum(-2)

    def forget(self) -> None:
        """Drop the neighbour list."""
        self._system.forget()


def fitted_shares(
    density: DensityMap, coords: Float[Tensor, "states atoms 3"], model: ModelDensity
) -> Float[Tensor, "states"]:
    """The share of each state that explains the map best; none is negative, and they sum to 1.

    Source: Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23.

    Raises:
        ConfigError: No state explains any of it.
    """
    with torch.no_grad():
        columns = model(coords).flatten(-3)
    observed = density.density.to(columns).flatten()
    columns = columns - columns.mean(-1, keepdim=True)
    # Projected on the states themselves: a few numbers stand for all voxels.
    basis, triangle = torch.linalg.qr(columns.T.double())
    shares, _ = nnls(triangle.cpu().numpy(), (basis.T @ (observed - observed.mean()).double()).cpu().numpy())
    if not shares.sum() > 0:
        raise ConfigError("no state explains any of the map; dock them into it first.")
    return torch.from_numpy(shares / shares.sum()).to(coords)


def refine_mixture(
    ensemble: Ensemble,
    density: DensityMap,
    model: ModelDensity,
    force_field: ForceField,
    *,
    weight: float | None = None,
    cycles: int = CYCLES,
    steps: int = STEPS,
) -> Ensemble:
    """The conformations of an ensemble and their shares, fitted to one map together.

    In turns: shares by non-negative least squares, then a minimisation of all states at once, each in its own
    force field, pulled by 1 - CC between the map and their weighted sum.

    Args:
        ensemble: The states, where the map has them, ready for the force field.
        density: The map.
        model: Density of one state, on the grid of the map.
        force_field: The force field.
        weight: Of 1 - CC, in kcal/mol; balanced by forces when left out.
        cycles: Rounds of both.
        steps: Steps of minimisation a round.

    Raises:
        ConfigError: No state explains any of the map.
    """
    for _ in range(cycles):
        ensemble = ensemble.with_weights(fitted_shares(density, ensemble.coords, model), "given")
        target = MapCorrelation(density, MixtureDensity(model, ensemble.weights))
        physics = Together(ensemble, force_field)
        coords = ensemble.coords.flatten(0, 1)
        pull = weight if weight is not None else RATIO * float(balance(physics, target, coords, physics.mobile))
        found = minimise(Guided(physics, target, pull), coords, mobile=physics.mobile, max_steps=steps)
        moved = found.coords.reshape(ensemble.coords.shape)
        ensemble = replace(ensemble, structure=ensemble.structure.with_coords(moved))
    return ensemble.with_weights(fitted_shares(density, ensemble.coords, model), "given")
