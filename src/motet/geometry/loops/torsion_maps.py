"""Maps of φ and ψ, one a residue: how likely each pair of torsions is, and draws from that."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class TorsionMaps:
    """-ln of the density of (φ, ψ) on a periodic grid that begins at -π, up to a constant a residue.

    Args:
        surface: Of each residue, rows by φ and columns by ψ.
    """

    surface: Float[Tensor, "residues bins bins"]

    def draw(
        self, residue: int, shape: tuple[int, ...], random: torch.Generator
    ) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
        """φ and ψ of one residue, in radians, from its density."""
        surface = self.surface[residue]
        bins, count = len(surface), math.prod(shape)
        cell = self._cells(surface.flatten(), count, random)
        off = torch.rand(2, count, generator=random, dtype=surface.dtype, device=surface.device) - 0.5
        phi, psi = (cell // bins + off[0], cell % bins + off[1])
        return tuple((one * (2 * math.pi / bins) - math.pi).reshape(shape) for one in (phi, psi))  # type: ignore[return-value]

    def draw_phi(
        self, residue: int, psi: float | None, shape: tuple[int, ...], random: torch.Generator
    ) -> Float[Tensor, "*shape"]:
        """φ of one residue, in radians, given its ψ where that is known."""
        if psi is None:
            return self.draw(residue, shape, random)[0]
        surface = self.surface[residue]
        bins, count = len(surface), math.prod(shape)
        column = round((psi + math.pi) * bins / (2 * math.pi)) % bins
        cell = self._cells(surface[:, column], count, random)
        off = torch.rand(count, generator=random, dtype=surface.dtype, device=surface.device) - 0.5
        return ((cell + off) * (2 * math.pi / bins) - math.pi).reshape(shape)

    def heights(
        self, first: int, phi: Float[Tensor, "*batch residues"], psi: Float[Tensor, "*batch residues"]
    ) -> Float[Tensor, "*batch residues"]:
        """-ln of the density at torsions, in radians, of successive residues from `first`, by the nearest cell."""
        bins = self.surface.shape[-1]
        row, column = (((x + math.pi) * (bins / (2 * math.pi))).round().long().remainder(bins) for x in (phi, psi))
        residue = torch.arange(first, first + phi.shape[-1], device=phi.device)
        return self.surface[residue, row, column]

    def limits(self, share: float) -> Float[Tensor, "residues"]:
        """Height of each residue below which this share of its density lies."""
        heights = self.surface.flatten(1).sort(dim=-1).values
        density = torch.softmax(-heights, dim=-1)
        last = (density.cumsum(-1) < share).sum(-1, keepdim=True).clamp_max(heights.shape[1] - 1)
        return heights.gather(1, last).squeeze(-1)

    @staticmethod
    def _cells(heights: Float[Tensor, "cells"], count: int, random: torch.Generator) -> Tensor:
        below = torch.softmax(-heights, dim=0).cumsum(0)
        chosen = torch.rand(count, generator=random, dtype=heights.dtype, device=heights.device)
        return torch.searchsorted(below, chosen).clamp_max(len(below) - 1)
