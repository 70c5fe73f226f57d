"""lDDT: how well local distances are kept, without superposition (Mariani et al. 2013)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..shapes import Coords
from .neighbours import neighbour_pairs

THRESHOLDS = (0.5, 1.0, 2.0, 4.0)  # Å
_PAIRS = 1 << 20  # pairs x conformations looked at in one go


def lddt(
    coords: Coords,
    reference: Float[Tensor, "atoms 3"],
    residue: Int[Tensor, "atoms"] | None = None,
    radius: float = 15.0,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Float[Tensor, "*batch"]:
    """Share of the reference's short distances that a conformation keeps, 0 to 1, averaged over the thresholds.

    A step function of the coordinates: it has no gradient. Equivalent atoms (both CD of a phenylalanine) are taken
    by their names, not exchanged.

    Args:
        coords: Conformations to judge, in Å.
        reference: The same atoms in the reference, in Å.
        residue: Residue of each atom; distances within a residue do not count. Each atom for itself by default.
        radius: Distances in the reference up to this count, in Å.
        thresholds: Deviations, in Å, below which a distance is kept.
    """
    kept, total = _kept(coords, reference, residue, radius, thresholds)
    everything = total.sum()
    return torch.where(everything > 0, kept.sum(-1) / everything.clamp_min(1), 1.0)


def residue_lddt(
    coords: Coords,
    reference: Float[Tensor, "atoms 3"],
    residue: Int[Tensor, "atoms"] | None = None,
    radius: float = 15.0,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Float[Tensor, "*batch residues"]:
    """lDDT of each residue, as `lddt` of the distances from its atoms; 1 where it has none."""
    kept, total = _kept(coords, reference, residue, radius, thresholds)
    return torch.where(total > 0, kept / total.clamp_min(1), 1.0)


@torch.no_grad()
def _kept(
    coords: Coords,
    reference: Float[Tensor, "atoms 3"],
    residue: Int[Tensor, "atoms"] | None,
    radius: float,
    thresholds: Sequence[float],
) -> tuple[Float[Tensor, "*batch residues"], Float[Tensor, "residues"]]:
    """Distances kept (averaged over the thresholds) and distances there are, of each residue."""
    if residue is None:
        residue = torch.arange(len(reference), device=reference.device)
    pairs = neighbour_pairs(reference, radius)
    i, j = pairs[:, residue[pairs[0]] != residue[pairs[1]]]
    expected = (reference[i] - reference[j]).norm(dim=-1)
    residues = int(residue.max()) + 1 if len(residue) else 0
    ends = torch.cat((residue[i], residue[j]))
    total = coords.new_zeros(residues).index_add_(0, ends, coords.new_ones(len(ends)))
    kept = []
    for some in coords.reshape(coords.shape[:-2].numel(), *coords.shape[-2:]).split(
        max(_PAIRS // max(len(i), 1), 1)
    ):
        deviation = ((some[:, i] - some[:, j]).norm(dim=-1) - expected).abs()
        within = torch.stack([(deviation < threshold).to(coords) for threshold in thresholds]).mean(0)
        kept.append(coords.new_zeros(len(some), residues).index_add_(1, ends, torch.cat((within, within), dim=1)))
    return torch.cat(kept).reshape(*coords.shape[:-2], residues), total
