"""How alike two maps are: by voxel, and by spatial frequency."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .fourier import frequencies, multiplicities
from .grid import Grid


def correlation(
    first: Float[Tensor, "*#batch x y z"],
    second: Float[Tensor, "*#batch x y z"],
    mask: Bool[Tensor, "x y z"] | None = None,
) -> Float[Tensor, "*batch"]:
    """Pearson's correlation over the voxels of a mask (or all); 0, with no gradient, where a map is flat."""
    a, b = _voxels(first, mask), _voxels(second, mask)
    a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    product, power = (a * b).sum(-1), a.square().sum(-1) * b.square().sum(-1)
    exists = power > 0
    return torch.where(exists, product / torch.where(exists, power, 1.0).sqrt(), 0.0)


def _voxels(density: Tensor, mask: Tensor | None) -> Float[Tensor, "*batch voxels"]:
    return density.flatten(-3) if mask is None else density[..., mask]


@dataclass(frozen=True, eq=False)
class ShellCorrelation:
    """Fourier shell correlation.

    Args:
        frequency: Mean |s| of each shell, in 1/Å.
        values: Correlation of the coefficients in each shell.
        counts: Coefficients in each shell.
    """

    frequency: Float[Tensor, "shells"]
    values: Float[Tensor, "*batch shells"]
    counts: Float[Tensor, "shells"]

    def resolution(self, threshold: float = 0.5) -> float:
        """Resolution in Å at which the curve first falls below a threshold, read between shells.

        A curve that never does is good to its end. One that begins below it agrees nowhere: infinity.
        """
        low = (self.values < threshold).nonzero().flatten().tolist()
        if not low:
            return 1 / float(self.frequency[-1])
        if low[0] == 0:
            return float("inf")
        before, after = float(self.values[low[0] - 1]), float(self.values[low[0]])
        start, end = float(self.frequency[low[0] - 1]), float(self.frequency[low[0]])
        return 1 / (start + (end - start) * (before - threshold) / (before - after))


def fourier_shell_correlation(
    first: Float[Tensor, "*#batch x y z"],
    second: Float[Tensor, "*#batch x y z"],
    grid: Grid,
    mask: Float[Tensor, "x y z"] | None = None,
) -> ShellCorrelation:
    """FSC(s) = Re Σ F G* / √(Σ|F|² Σ|G|²) over shells as wide as the coarsest frequency of the box.

    Args:
        first: One map.
        second: Another, on the same grid.
        grid: Their voxels.
        mask: Weight of each voxel; soft, or its edge correlates with itself.
    """
    frequency = frequencies(grid, first.double())
    width = float((1 / (grid.voxel * torch.tensor(grid.shape))).max())
    shell = (frequency / width + 0.5).floor().long()
    last = int(0.5 / float(grid.voxel.max()) / width)
    weight = multiplicities(grid, first.double()).expand(frequency.shape)
    keep = (shell >= 1) & (shell <= last)
    index, weight = shell[keep] - 1, weight[keep]
    f, g = (_waves(one, mask)[..., keep] for one in (first, second))

    def by_shell(values: Tensor) -> Tensor:
        return values.new_zeros(*values.shape[:-1], last).index_add_(-1, index, values * weight)

    cross = by_shell((f * g.conj()).real)
    power = by_shell(f.abs().square()) * by_shell(g.abs().square())
    counts = by_shell(torch.ones_like(weight))
    mean = by_shell(frequency[keep]) / counts.clamp_min(1)
    values = torch.where(power > 0, cross / torch.where(power > 0, power, 1.0).sqrt(), 0.0)
    there = counts > 0
    return ShellCorrelation(mean[there], values[..., there], counts[there])


def _waves(density: Tensor, mask: Tensor | None) -> Tensor:
    wide = density.double() if mask is None else density.double() * mask
    return torch.fft.rfftn(wide, dim=(-3, -2, -1))
