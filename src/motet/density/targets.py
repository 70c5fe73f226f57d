"""How well atoms explain a map, as energies that stand in a sum with a force field.

Each has no unit until it is weighted: `system + weight * target` is in kcal/mol, with the weight of `balance`.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigError
from ..shapes import Coords, Energies, Energy, Summable
from .correlation import correlation
from .fourier import frequencies, multiplicities
from .map import DensityMap, trilinear
from .model_density import DensityModel

LEAST_UNEXPLAINED = 1e-6  # share of a shell's power: rounding, where a model explains all of it


@dataclass(frozen=True, eq=False)
class InterpolatedDensity(Summable):
    """-Σ w ρ(x) / Σ w, in standard deviations of the map: atoms climb into density. The cheapest target.

    Args:
        target: The map; outside it there is no density.
        weights: How strongly each atom is drawn, such as its atomic number.
    """

    target: DensityMap
    weights: Float[Tensor, "atoms"]

    def __call__(self, coords: Coords) -> Energies:
        """Minus the mean density at the atoms of each conformation."""
        density = self.target.density
        values = trilinear(density, self.target.grid.to_voxels(coords)) / density.std().clamp_min(1e-30).to(coords)
        share = self.weights.to(coords)
        return -(values * share).sum(-1) / share.sum().clamp_min(torch.finfo(coords.dtype).tiny)


@dataclass(frozen=True, eq=False)
class MapCorrelation(Summable):
    """1 - CC between a map and the density of the model, over the box or a mask.

    Args:
        target: The map.
        model: Density of the model, on the same grid and at the same blur.
        mask: Voxels that count; all of them when left out.

    Raises:
        ConfigError: Map and model have different grids.
    """

    target: DensityMap
    model: DensityModel
    mask: Bool[Tensor, "x y z"] | None = None

    def __post_init__(self) -> None:
        _same_grid(self.target, self.model)

    def __call__(self, coords: Coords) -> Energies:
        """0 where the model explains the map, 1 where they have nothing in common."""
        return 1 - correlation(self.model(coords), self.target.density.to(coords), self.mask)


@dataclass(frozen=True, eq=False)
class ShellLikelihood(Summable):
    """-log likelihood of the map given the model, per coefficient, by shells of resolution.

    Each shell has a scale D and an error variance S of its own, both at their most likely values, so that noisy
    shells do not count: -LL = Σ |F_o - D F_c|²/S + n ln S = Σ n ln(1 - FSC²) + constant, with D >= 0.

    Source: Murshudov et al., Acta Cryst. D67 (2011) 355; Yamashita et al., Acta Cryst. D77 (2021) 1282.

    Args:
        target: The map.
        model: Density of the model, on the same grid.
        resolution: Finest shell, in Å.
        shells: Number of shells; as wide as one another.
    """

    target: DensityMap
    model: DensityModel
    resolution: float
    shells: int = 20
    _keep: Tensor = field(init=False, repr=False)
    _shell: Tensor = field(init=False, repr=False)
    _weight: Tensor = field(init=False, repr=False)
    _waves: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _same_grid(self.target, self.model)
        if self.resolution <= 0 or self.shells < 1:
            raise ConfigError("a likelihood by shells needs resolution > 0 and shells >= 1.")
        density = self.target.density
        frequency = frequencies(self.target.grid, density)
        keep = (frequency > 0) & (frequency <= 1 / self.resolution)
        weight = multiplicities(self.target.grid, density).expand(frequency.shape)[keep]
        shell = (frequency[keep] * self.resolution * self.shells).long().clamp_max(self.shells - 1)
        object.__setattr__(self, "_keep", keep)
        object.__setattr__(self, "_shell", shell)
        object.__setattr__(self, "_weight", weight)
        object.__setattr__(self, "_waves", torch.fft.rfftn(density)[keep])

    def __call__(self, coords: Coords) -> Energies:
        """Mean over the coefficients of ln(1 - FSC²) / 2: 0 without agreement, the lower the better."""
        found = torch.fft.rfftn(self.model(coords), dim=(-3, -2, -1))[..., self._keep]
        observed = self._waves.to(found)
        cross = self._by_shell((found * observed.conj()).real).clamp_min(0)
        power = self._by_shell(_power(found)) * self._by_shell(_power(observed))
        exists = power > 0
        squared = torch.where(exists, cross.square() / torch.where(exists, power, 1.0), 0.0)
        unexplained = torch.log1p(-squared.clamp_max(1 - LEAST_UNEXPLAINED))
        count = self._by_shell(torch.ones_like(self._weight))
        return 0.5 * (unexplained * count).sum(-1) / count.sum()

    def _by_shell(self, values: Tensor) -> Float[Tensor, "*batch shells"]:
        empty = values.new_zeros(*values.shape[:-1], self.shells)
        return empty.index_add(-1, self._shell, values * self._weight.to(values))


def balance(
    physics: Energy, target: Energy, coords: Coords, mobile: Bool[Tensor, "atoms"] | None = None
) -> Float[Tensor, "*batch"]:
    """The weight at which a target pulls, over all atoms that move, as strongly as the force field does.

    Ask at coordinates of the temperature of interest: at a minimum, a force field does not pull at all.
    """
    own, other = _pull(physics, coords, mobile), _pull(target, coords, mobile)
    return own / other.clamp_min(torch.finfo(coords.dtype).tiny ** 0.5)


def _pull(energy: Energy, coords: Coords, mobile: Tensor | None) -> Tensor:
    """Root mean square force; the strongest hundredth of the atoms, which sit in clashes, do not count."""
    with torch.enable_grad():
        at = coords.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(energy(at).sum(), at)
    force = gradient.norm(dim=-1)
    if mobile is not None:
        force = force[..., mobile.to(force.device)]
    kept = force.sort(dim=-1).values[..., : max(1, round(0.99 * force.shape[-1]))]
    return kept.square().mean(-1).sqrt()


def _power(waves: Tensor) -> Tensor:
    return waves.real.square() + waves.imag.square()


def _same_grid(target: DensityMap, model: DensityModel) -> None:
    ours, theirs = target.grid, model.grid
    if ours.shape != theirs.shape or not torch.allclose(ours.axes, theirs.axes):
        raise ConfigError(
            f"the map has {ours.shape} voxels, the model {theirs.shape}; render it on the map's grid."
        )
    if not torch.allclose(ours.origin, theirs.origin, atol=1e-3):
        raise ConfigError("the map and the model's grid have different origins; render it on the map's grid.")
