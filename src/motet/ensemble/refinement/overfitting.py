"""Is it signal that a refinement fits? Two tests: a half map that it has not seen, and detail that is noise."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ...density import (
    DensityMap,
    ModelDensity,
    correlation,
    fourier_shell_correlation,
    phase_randomised,
    soft_mask,
)
from ...density.masks import van_der_waals_radii
from ...structure import Note, Topology

TOLERATED = 0.02  # difference between halves, and rise of CC by fitting noise, that means nothing


@dataclass(frozen=True)
class OverfittingTest:
    """What a test of overfitting found.

    Args:
        kind: `half maps` (correlation with the half refined against, and with the other) or `randomised phases`
            (correlation with the true map before and after refinement against noise of the same power).
        first: Correlation with the half refined against, or before.
        second: Correlation with the other half, or after.
        overfitted: Whether that says that noise was fitted.
    """

    kind: Literal["half maps", "randomised phases"]
    first: float
    second: float
    overfitted: bool

    @property
    def words(self) -> str:
        """The finding, in one sentence."""
        verdict = "the model is OVERFITTED" if self.overfitted else "no sign of overfitting"
        values = f"{self.first:.3f}", f"{self.second:.3f}"
        if self.kind == "half maps":
            return f"Fourier correlation {values[0]} with its own half map, {values[1]} with the other: {verdict}."
        return f"refined against randomised phases, its true CC goes from {values[0]} to {values[1]}: {verdict}."

    @property
    def note(self) -> Note:
        """The finding, as a note of the structure."""
        return Note("warning" if self.overfitted else "kept", self.words)


def judged_by_halves(work: float, free: float) -> OverfittingTest:
    """Overfitted where a model explains its own half map better than the other by more than chance would."""
    return OverfittingTest("half maps", work, free, work - free > TOLERATED)


def judged_by_noise(before: float, after: float) -> OverfittingTest:
    """Overfitted where noise beyond the resolution raises the correlation with the true map."""
    return OverfittingTest("randomised phases", before, after, after - before > TOLERATED / 2)


def noisy_target(density: DensityMap, resolution: float, seed: int) -> DensityMap:
    """The map with random phases beyond a resolution in Å: nothing there is to be learnt."""
    return phase_randomised(density, resolution, seed)


@torch.no_grad()
def shell_agreement(
    density: DensityMap,
    coords: Float[Tensor, "atoms 3"],
    topology: Topology,
    model: ModelDensity,
    resolution: float,
) -> float:
    """Mean Fourier shell correlation up to a resolution in Å, within a soft mask of the model."""
    mask = soft_mask(coords, van_der_waals_radii(topology), density.grid)
    curve = fourier_shell_correlation(model(coords), density.density, density.grid, mask)
    seen = curve.frequency <= 1 / resolution
    counts = curve.counts[seen]
    return float((curve.values[seen] * counts).sum() / counts.sum().clamp_min(1))


@torch.no_grad()
def true_agreement(density: DensityMap, coords: Float[Tensor, "atoms 3"], model: ModelDensity) -> float:
    """Correlation over the box."""
    return float(correlation(model(coords), density.density.to(coords)))
