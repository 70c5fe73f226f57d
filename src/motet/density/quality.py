"""How well a model explains a map: correlation in the box and in the mask, Fourier shells, and Q."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigError
from ..structure import Structure, Topology
from .correlation import ShellCorrelation, correlation, fourier_shell_correlation
from .fourier import low_pass
from .map import DensityMap
from .masks import model_mask, soft_mask, van_der_waals_radii
from .q_score import QScores, q_scores
from .render import render
from .scattering import scatterers_of

TRIED = (5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 120.0, 150.0, 200.0, 250.0, 300.0)  # Å²
MEANINGLESS = 900.0  # Å²: what programs write for an unknown B


@dataclass(frozen=True, eq=False)
class MapQuality:
    """Agreement of one conformation with a map.

    Args:
        cc_box: Correlation over all voxels.
        cc_mask: Correlation over the voxels of the model.
        shells: Fourier shell correlation with a soft mask.
        resolution: Where the shell correlation first falls below 0.5, in Å.
        q: Q of each atom, hydrogens included, which have none.
        overall_b: The one B factor that stood in for the file's, in Å²; None where the file's were used.
    """

    cc_box: float
    cc_mask: float
    shells: ShellCorrelation
    resolution: float
    q: QScores
    overall_b: float | None = None

    def q_of_residues(self, topology: Topology) -> list[float | None]:
        """Mean Q of each residue; None where none of its atoms has one."""
        mean = self.q.by_residue(torch.tensor(topology.residue_of_atom), topology.n_residues)
        return [q if there else None for q, there in zip(mean.values.tolist(), mean.exists.tolist(), strict=True)]


def map_quality(structure: Structure, density: DensityMap, resolution: float) -> MapQuality:
    """Compare the heavy atoms of the first conformation of a structure with a map of some resolution, in Å.

    B factors that say nothing (all the same, a pLDDT, or 999) are replaced by the one that fits the map best.

    Raises:
        ConfigError: The resolution is not positive, or the model lies outside the map.
    """
    if resolution <= 0:
        raise ConfigError(f"a resolution of {resolution} Å is none; give the one the map was published with.")
    one = structure.model(0).without_hydrogens()
    coords = one.coords.float()
    if not density.contains(coords).any():
        raise ConfigError(f"{one.name} lies outside {density.name}; dock it into the map first.")
    radii = van_der_waals_radii(one.topology)
    mask = model_mask(coords, radii, density.grid)
    scatterers, occupancies = scatterers_of(one.topology), one.occupancies.float()

    def calculated(b_factors: Float[Tensor, "atoms"]) -> Float[Tensor, "x y z"]:
        return render(coords, scatterers, b_factors, occupancies, density.grid)

    def fit(model: Float[Tensor, "x y z"], mask: Bool[Tensor, "x y z"] | None = None) -> float:
        return float(correlation(low_pass(model, density.grid, resolution), density.density, mask))

    overall, model = None, calculated(one.b_factors.float())
    if says_nothing(one):
        maps = {b: calculated(torch.full_like(occupancies, b)) for b in TRIED}
        overall = max(TRIED, key=lambda b: fit(maps[b], mask))
        model = maps[overall]
    soft = soft_mask(coords, radii, density.grid)
    shells = fourier_shell_correlation(density.density, model, density.grid, soft)
    q = _with_hydrogens(q_scores(density, coords, torch.ones(one.n_atoms, dtype=torch.bool)), structure)
    return MapQuality(fit(model), fit(model, mask), shells, shells.resolution(0.5), q, overall)


def _with_hydrogens(q: QScores, structure: Structure) -> QScores:
    """Scores of the heavy atoms, in a list of all."""
    heavy = torch.from_numpy(~structure.topology.is_hydrogen)
    values, exists = torch.zeros(len(heavy), dtype=q.values.dtype), torch.zeros(len(heavy), dtype=torch.bool)
    values[heavy], exists[heavy] = q.values, q.exists
    return QScores(values, exists)


def says_nothing(structure: Structure) -> bool:
    """Whether a file's B factors are placeholders, or are no B factors."""
    b_factors = structure.b_factors
    if structure.b_factor_meaning != "B" or not len(b_factors):
        return True
    return bool(b_factors.max() - b_factors.min() < 1e-3) or bool(b_factors.min() >= MEANINGLESS)
