"""Clusters of an alignment's rows by their letters: DBSCAN, as AF-Cluster runs it.

Wayment-Steele et al., Nature 625, 832 (2024): rows with less than a quarter of gaps, one-hot, at least three rows
in a neighbourhood, and the radius that gives the most clusters.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ...errors import ConfigError
from ...fold.alignment import Rows
from ...fold.residues import GAP

NOISE, _UNSEEN = -1, -2
RADII = tuple(3 + 0.5 * step for step in range(35))  # 3 to 20, in one-hot space


@dataclass(frozen=True)
class AlignmentClusters:
    """DBSCAN on rows (Ester et al. 1996).

    Args:
        most_gaps: Rows with a larger share of gaps are left out.
        fewest: Rows, itself counted, within the radius of a row that is the core of a cluster.
        scanned: Share of the rows on which radii are tried.
        radius: Radius in one-hot space, where n different letters are √(2n) apart; None tries 3 to 20.
    """

    most_gaps: float = 0.25
    fewest: int = 3
    scanned: float = 0.25
    radius: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.scanned <= 1 or self.fewest < 2 or not 0 < self.most_gaps <= 1:
            raise ConfigError("AlignmentClusters needs shares above 0 and at most 1, and fewest of at least 2.")

    def labels(self, rows: Rows, generator: torch.Generator) -> tuple[Int[Tensor, "rows"], float]:
        """Cluster of each row, -1 for none, the largest first, and the radius; the query is in none."""
        full = ((rows.types == GAP).float().mean(-1) < self.most_gaps).clone()
        full[0] = False
        kept = full.nonzero().squeeze(-1)
        labels = torch.full((len(rows.types),), NOISE)
        if len(kept) < self.fewest:
            return labels, self.radius or RADII[0]
        different = _mismatches(rows.types[kept])
        radius = self.radius or self._best(different, generator)
        labels[kept] = dbscan(2 * different <= radius**2, self.fewest)
        return labels, radius

    def _best(self, different: Int[Tensor, "rows rows"], generator: torch.Generator) -> float:
        """The radius with the most clusters on a part of the rows, the smallest of equals."""
        count = len(different)
        some = torch.randperm(count, generator=generator)[: max(self.fewest, round(self.scanned * count))]
        part = different[some][:, some]
        found = [int(dbscan(2 * part <= radius**2, self.fewest).max()) + 1 for radius in RADII]
        return RADII[max(range(len(RADII)), key=lambda i: (found[i], -i))]


def _mismatches(types: Int[Tensor, "rows residues"]) -> Int[Tensor, "rows rows"]:
    """In how many columns each two rows differ."""
    code = torch.nn.functional.one_hot(types, GAP + 2).float().flatten(1)
    return types.shape[1] - (code @ code.T).round().int()


def dbscan(near: Bool[Tensor, "points points"], fewest: int) -> Int[Tensor, "points"]:
    """Cluster of each point, the largest first, -1 for noise; a border point joins the first to reach it."""
    core = near.sum(-1) >= fewest
    labels = torch.full((len(near),), _UNSEEN)
    labels[~core] = NOISE
    found = 0
    for seed in core.nonzero().squeeze(-1).tolist():
        if labels[seed] != _UNSEEN:
            continue
        front = torch.zeros_like(core)
        front[seed] = True
        while front.any():
            labels[front] = found
            reached = near[front & core].any(0) if (front & core).any() else torch.zeros_like(core)
            front = reached & (labels < 0)
        found += 1
    sizes = torch.bincount(labels[labels >= 0], minlength=max(found, 1))
    rank = sizes.argsort(descending=True, stable=True).argsort()
    return torch.where(labels >= 0, rank[labels.clamp_min(0)], NOISE)
