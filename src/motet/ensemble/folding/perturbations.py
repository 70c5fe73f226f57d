"""What may be changed about the view of a protein: each perturbation a small class that proposes members."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import ConfigError
from ...fold.alignment import Rows
from .alignment_clusters import NOISE, AlignmentClusters
from .hypotheses import Hypotheses
from .member import Member

LADDER = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128))  # clusters and extra rows


@dataclass(frozen=True, eq=False)
class View:
    """What perturbations start from.

    Args:
        rows: The alignment in numbers.
        clusters: Rows that are cluster centres, unless the perturbation says otherwise.
        extra: Rows beyond them.
        recycles: Passes after the first.
        seed: Of all draws; member i of a perturbation draws from seed + i.
        hypotheses: States that the network's own row clusters suggest; None when nobody looked.
        leaders: How much attention each row of the alignment receives; None when nobody looked.
    """

    rows: Rows
    clusters: int
    extra: int
    recycles: int
    seed: int
    hypotheses: Hypotheses | None = None
    leaders: Float[Tensor, "rows"] | None = None

    @property
    def depth(self) -> int:
        """Rows of the alignment."""
        return len(self.rows.types)

    def member(self, perturbation: str, note: str, number: int, **changes: object) -> Member:
        """Member `number`, with these changes."""
        asked: dict[str, object] = {
            "clusters": self.clusters,
            "extra": self.extra,
            "recycles": self.recycles,
            "seed": self.seed + number,
        }
        return Member(perturbation=perturbation, note=note, **(asked | changes))  # pyright: ignore


@runtime_checkable
class Perturbation(Protocol):
    """Proposes members; the same view gives the same members."""

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """At most `count` members; none where the view offers nothing to change."""
        ...


@dataclass(frozen=True)
class Seeds:
    """Other rows drawn, nothing else: what the network says anyway."""

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """As many as asked for."""
        return tuple(view.member("seeds", "rows drawn anew", i) for i in range(count))


@dataclass(frozen=True)
class DepthSubsampling:
    """Fewer rows: del Alamo et al., eLife 11, e75751 (2022); the ladder of CF-random (Lee et al. 2025)."""

    ladder: tuple[tuple[int, int], ...] = LADDER

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """Up and down the ladder, as far as the alignment reaches."""
        steps = [step for step in self.ladder if sum(step) <= view.depth] or [self.ladder[0]]
        chosen = [steps[i % len(steps)] for i in range(count)]
        return tuple(
            view.member("depth", f"{clusters}:{extra} rows", i, clusters=clusters, extra=extra)
            for i, (clusters, extra) in enumerate(chosen)
        )


@dataclass(frozen=True)
class ClusteredRows:
    """One member a cluster of rows, the largest first: AF-Cluster."""

    clustering: AlignmentClusters = field(default_factory=AlignmentClusters)

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """One a cluster."""
        labels, radius = self.clustering.labels(view.rows, torch.Generator().manual_seed(view.seed))
        found = min(int(labels.max()) + 1, count) if bool((labels != NOISE).any()) else 0
        return tuple(
            view.member("clusters", f"cluster {i}, radius {radius:g}", i, weights=_with_query(labels == i))
            for i in range(found)
        )


@dataclass(frozen=True)
class TokenClusters:
    """Soft weights from the network's own clusters of rows, state by state; none where it sees one state.

    The first member of a state reads all its rows; the others have columns hidden, and dropout, so as to differ.
    """

    columns: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2)

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """As many as asked for, the states in turn."""
        found = view.hypotheses
        if found is None or found.states < 2:
            return ()
        return tuple(self._member(view, found, i) for i in range(count))

    def _member(self, view: View, found: Hypotheses, number: int) -> Member:
        state, turn = number % found.states, number // found.states
        share = self.columns[turn % len(self.columns)] if turn else 0.0
        weights = found.weights[:, state].clone()
        weights[0] = 1
        note = f"state {state}, {share:.0%} of columns hidden"
        return view.member(
            "tokens", note, number, weights=weights, masked_columns=share, dropout=turn > 0, state=state
        )


@dataclass(frozen=True)
class ColumnMasking:
    """Columns hidden in all rows but the query: AFsample2 (Kalakoti and Wallner 2025)."""

    shares: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2)

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """The shares in turn, other columns each time."""
        chosen = [self.shares[i % len(self.shares)] for i in range(count)]
        return tuple(
            view.member("columns", f"{share:.0%} of columns hidden", i, masked_columns=share)
            for i, share in enumerate(chosen)
        )


@dataclass(frozen=True)
class Dropout:
    """Dropout as in training: AFsample (Wallner 2023)."""

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """As many as asked for."""
        return tuple(view.member("dropout", "dropout as in training", i, dropout=True) for i in range(count))


@dataclass(frozen=True)
class Temperature:
    """Attention in the alignment colder or warmer than it was trained; an experiment, without published record."""

    betas: tuple[float, ...] = (0.5, 0.75, 1.5, 2.0)

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """The temperatures in turn."""
        chosen = [self.betas[i % len(self.betas)] for i in range(count)]
        return tuple(
            view.member("temperature", f"attention at β = {beta:g}", i, beta=beta) for i, beta in enumerate(chosen)
        )


@dataclass(frozen=True)
class LeaderMasking:
    """The rows that the others attend to most are left out; an experiment, without published record."""

    shares: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)

    def members(self, view: View, count: int) -> tuple[Member, ...]:
        """The shares in turn; none where nobody looked for leaders."""
        if view.leaders is None or view.depth < 3:
            return ()
        order = 1 + view.leaders[1:].argsort(descending=True)
        made = []
        for i in range(count):
            gone = max(1, round(self.shares[i % len(self.shares)] * (view.depth - 1)))
            weights = torch.ones(view.depth)
            weights[order[:gone]] = 0
            made.append(view.member("leaders", f"{gone} leading rows left out", i, weights=weights))
        return tuple(made)


def _with_query(chosen: Tensor) -> Float[Tensor, "rows"]:
    weights = chosen.float()
    weights[0] = 1
    return weights


PERTURBATIONS: Mapping[str, Perturbation] = MappingProxyType(
    {
        "seeds": Seeds(),
        "depth": DepthSubsampling(),
        "clusters": ClusteredRows(),
        "tokens": TokenClusters(),
        "columns": ColumnMasking(),
        "dropout": Dropout(),
        "temperature": Temperature(),
        "leaders": LeaderMasking(),
    }
)


def named(names: list[str]) -> dict[str, Perturbation]:
    """Perturbations by name.

    Raises:
        ConfigError: There is none of that name.
    """
    for name in names:
        if name not in PERTURBATIONS:
            raise ConfigError(f"there is no perturbation {name!r}; choose from {', '.join(PERTURBATIONS)}.")
    return {name: PERTURBATIONS[name] for name in dict.fromkeys(names)}
