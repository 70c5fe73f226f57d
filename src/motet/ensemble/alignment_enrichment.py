"""Which rows of the alignments go with which state of the models predicted from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..io import Alignment

FEWEST = 2  # alignments that a row must be in


@dataclass(frozen=True)
class RowEnrichment:
    """A row that stands in the alignments of one state's models more often than chance would have it.

    Args:
        row: Its id.
        state: The state.
        inside: Models of the state with the row in their alignment.
        everywhere: Models of all states with it.
        expected: Models of the state that chance would give.
        p_value: Of so many or more, by the hypergeometric law (Fisher's exact test, one-sided).
        q_value: False discovery rate at which the row is called (Benjamini and Hochberg 1995).
    """

    row: str
    state: int
    inside: int
    everywhere: int
    expected: float
    p_value: float
    q_value: float


@dataclass(frozen=True, eq=False)
class Enrichment:
    """Rows, and what the alignments of a state are like.

    Args:
        rows: Rows called at the false discovery rate that was asked for, surest first.
        tested: Rows and states that were tested.
        depths: Median depth of the alignments of each state.
        identities: Mean identity of their rows to the query, of each state.
    """

    rows: tuple[RowEnrichment, ...]
    tested: int
    depths: tuple[float, ...]
    identities: tuple[float, ...]


def enriched_rows(
    names: Sequence[str],
    labels: Int[Tensor, "models"],
    alignments: Mapping[str, Alignment],
    discovery: float = 0.05,
) -> Enrichment:
    """Rows that favour a state, among models that have an alignment and a state.

    Rows that always stand together are counted each, and alignments that overlap as if they did not: read the rows
    as candidates to be tried, not as causes.

    Args:
        names: Name of each model.
        labels: State of each model; -1 for none.
        alignments: Alignment of each model that has one; the query is not tested.
        discovery: False discovery rate.
    """
    used = [i for i, name in enumerate(names) if name in alignments and int(labels[i]) >= 0]
    states = labels[used].numpy() if used else np.zeros(0, dtype=np.int64)
    count = int(labels.max()) + 1 if len(labels) else 0
    sets = [set(alignments[names[i]].ids[1:]) for i in used]
    ids = sorted(set().union(*sets)) if sets else []
    place = {row: k for k, row in enumerate(ids)}
    seen = np.zeros((count, len(ids)), dtype=np.int64)
    for state, rows in zip(states, sets, strict=True):
        np.add.at(seen[state], [place[row] for row in rows], 1)
    totals = np.bincount(states, minlength=count)
    found = _called(ids, seen, totals, discovery)
    of_state = [[alignments[names[i]] for i, s in zip(used, states, strict=True) if s == k] for k in range(count)]
    described = [_described(some) for some in of_state]
    tested = int((seen.sum(0) >= FEWEST).sum()) * (count if count > 1 else 0)
    return Enrichment(found, tested, tuple(d for d, _ in described), tuple(i for _, i in described))


def _called(ids: list[str], seen: np.ndarray, totals: np.ndarray, discovery: float) -> tuple[RowEnrichment, ...]:
    from scipy.stats import hypergeom

    if len(totals) < 2 or not len(ids):
        return ()
    rows = np.flatnonzero(seen.sum(0) >= FEWEST)
    inside = seen[:, rows]
    everywhere = inside.sum(0)
    chance = hypergeom.sf(inside - 1, totals.sum(), everywhere[None], totals[:, None])
    values = false_discovery(torch.from_numpy(chance).flatten()).reshape(chance.shape)
    expected = everywhere[None] * (totals / totals.sum())[:, None]
    called = np.argwhere(values.numpy() <= discovery)
    found = [
        RowEnrichment(
            ids[rows[k]],
            int(s),
            int(inside[s, k]),
            int(everywhere[k]),
            float(expected[s, k]),
            float(chance[s, k]),
            float(values[s, k]),
        )
        for s, k in called
    ]
    return tuple(sorted(found, key=lambda one: (one.p_value, one.row)))


def false_discovery(p_values: Float[Tensor, "tests"]) -> Float[Tensor, "tests"]:
    """Benjamini and Hochberg's q-value of each test: the least false discovery rate at which it is called."""
    count = len(p_values)
    order = p_values.argsort(stable=True)
    scaled = p_values[order] * count / torch.arange(1, count + 1, dtype=p_values.dtype, device=p_values.device)
    values = torch.empty_like(p_values)
    values[order] = scaled.flip(0).cummin(0).values.flip(0).clamp_max(1.0) if count else scaled
    return values


def _described(alignments: list[Alignment]) -> tuple[float, float]:
    """Median depth, and mean identity of the rows to the query over the columns that they fill."""
    if not alignments:
        return 0.0, 0.0
    identities = []
    for one in alignments:
        letters = np.frombuffer("".join(one.rows).encode("ascii"), dtype=np.uint8).reshape(one.depth, -1)
        filled = letters[1:] != ord("-")
        same = (letters[1:] == letters[0]) & filled
        identities.append(same.sum() / max(filled.sum(), 1))
    return float(np.median([one.depth for one in alignments])), float(np.mean(identities))
