"""From an alignment to what the network reads: cluster centres with their profiles, and the rows beyond.

Jumper et al. (2021), Suppl. 1.2.6 to 1.2.9 and Table 1. Every random choice comes from the generator; what follows
from the choice is deterministic.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from ..errors import ConfigError
from ..io import Alignment
from .config import SamplingConfig
from .features import Features, Templates
from .residues import GAP, LETTER_NUMBERS, LETTERS, MASKED, UNKNOWN

_TYPES = MASKED + 1
_BLOCK = 512  # rows compared with the cluster centres at a time
# what a masked residue becomes: anything, something from its column, itself, or (the rest) a mark
_UNIFORM, _PROFILE, _SAME = 0.1, 0.1, 0.1


@dataclass(frozen=True, eq=False)
class Rows:
    """An alignment in numbers.

    Args:
        types: Residue types; 20 unknown, 21 gap, 22 masked.
        deletions: Residues of a row that stand before a column and have no place in the query.
    """

    types: Int[Tensor, "rows residues"]
    deletions: Float[Tensor, "rows residues"]

    def __getitem__(self, rows: Int[Tensor, "chosen"]) -> "Rows":
        return Rows(self.types[rows], self.deletions[rows])


@dataclass(frozen=True, eq=False)
class Choice:
    """Rows by number: those that become cluster centres, the query first, and all others."""

    centres: Int[Tensor, "centres"]
    others: Int[Tensor, "others"]


def features_of(
    alignment: Alignment,
    sampling: SamplingConfig,
    generator: torch.Generator,
    templates: Templates | None = None,
    weights: Float[Tensor, "rows"] | None = None,
) -> Features:
    """What the network reads of an alignment; draw again for every pass, as AlphaFold2 does.

    Args:
        alignment: Rows aligned to the query, which comes first.
        sampling: How many rows are read, and how many residues are masked.
        generator: Chooses rows and residues.
        templates: Structures of homologues.
        weights: How much each row of the alignment counts, from 0 (as if deleted) to 1; the query's is 1.

    Raises:
        ConfigError: The query has gaps, or weights make no sense.
    """
    return features_of_rows(
        query_types(alignment.query), numbered(alignment), sampling, generator, templates, weights
    )


def features_of_rows(
    query: Int[Tensor, "residues"],
    rows: Rows,
    sampling: SamplingConfig,
    generator: torch.Generator,
    templates: Templates | None = None,
    weights: Float[Tensor, "rows"] | None = None,
) -> Features:
    """As `features_of`, of an alignment in numbers, which may have been changed; the query is its first row."""
    if weights is not None and not bool((weights > 0).all()):
        there = weights > 0
        rows, weights = rows[there.nonzero().squeeze(-1)], weights[there]
    choice = chosen(len(rows.types), sampling.clusters, generator)
    kept = torch.randperm(len(choice.others), generator=generator)[: sampling.extra]
    centres = rows[choice.centres]
    if sampling.masked:
        centres = masked(centres, profile(rows.types, GAP + 1), sampling.masked, generator)
    if weights is None:
        return assembled(query, centres, rows[choice.others], kept, templates)
    others = weights[choice.others]
    features = assembled(query, centres, rows[choice.others], kept, templates, others)
    return features.weighted(weights[choice.centres], others[kept] if len(kept) else None)


def numbered(alignment: Alignment) -> Rows:
    """The alignment in numbers; ambiguous letters are read as HHblits reads them."""
    table = np.full(128, UNKNOWN, np.int64)
    for letter, number in LETTER_NUMBERS.items():
        table[ord(letter)] = number
    letters = np.frombuffer("".join(alignment.rows).encode("ascii"), np.uint8)
    types = torch.from_numpy(table[letters].reshape(alignment.depth, -1))
    return Rows(types, torch.from_numpy(alignment.deletions).float())


def query_types(query: str) -> Int[Tensor, "residues"]:
    """Residue types of the query, for which every letter beside the twenty is an unknown residue."""
    if "-" in query:
        raise ConfigError(
            f"the query has {query.count('-')} gaps; remove the columns in which it has no residue, "
            "so that every column is one of its residues."
        )
    known = LETTERS[:UNKNOWN]
    return torch.tensor([known.index(letter) if letter in known else UNKNOWN for letter in query])


def chosen(depth: int, clusters: int, generator: torch.Generator) -> Choice:
    """The query and a random choice of other rows as cluster centres."""
    order = torch.cat((torch.zeros(1, dtype=torch.long), 1 + torch.randperm(depth - 1, generator=generator)))
    return Choice(order[:clusters], order[clusters:])


def masked(
    rows: Rows, column_profile: Float[Tensor, "residues types"], fraction: float, generator: torch.Generator
) -> Rows:
    """Some residues replaced, for the network to guess: Suppl. 1.2.7."""
    uniform = torch.zeros(_TYPES)
    uniform[:UNKNOWN] = 1 / UNKNOWN
    odds = _UNIFORM * uniform + _SAME * one_hot(rows.types, _TYPES)
    odds[..., :MASKED] += _PROFILE * column_profile
    odds[..., MASKED] += 1 - _UNIFORM - _PROFILE - _SAME
    drawn = torch.multinomial(odds.flatten(0, 1), 1, generator=generator).view_as(rows.types)
    hit = torch.rand(rows.types.shape, generator=generator) < fraction
    return Rows(torch.where(hit, drawn, rows.types), rows.deletions)


def profile(types: Int[Tensor, "rows residues"], kinds: int) -> Float[Tensor, "residues kinds"]:
    """How often each residue type stands in each column."""
    counts = torch.stack([(types == kind).sum(0) for kind in range(kinds)], -1)
    return counts.float() / types.shape[0]


def nearest_centres(
    centres: Int[Tensor, "centres residues"], others: Int[Tensor, "others residues"]
) -> Int[Tensor, "others"]:
    """The centre that agrees with each row in most residues, the first of equals; gaps and masks do not agree."""
    code = one_hot(centres, _TYPES)[..., :GAP].float().flatten(1)
    found = [
        (one_hot(block, _TYPES)[..., :GAP].float().flatten(1) @ code.T).argmax(-1)
        for block in others.split(_BLOCK)
    ]
    return torch.cat(found) if found else others.new_zeros(0)


def assembled(
    query: Int[Tensor, "residues"],
    centres: Rows,
    others: Rows,
    kept: Int[Tensor, "kept"],
    templates: Templates | None = None,
    weights: Float[Tensor, "others"] | None = None,
) -> Features:
    """Features of chosen rows: every other row joins a cluster, those `kept` are also read by themselves.

    In the profile of its cluster a row counts by its weight.
    """
    weights = torch.ones(len(others.types)) if weights is None else weights.float()
    cluster = nearest_centres(centres.types, others.types)
    residues, count = query.shape[0], centres.types.shape[0]
    members = (1e-6 + torch.ones(count, residues)) + torch.bincount(cluster, weights, count)[:, None]
    sums = one_hot(centres.types, _TYPES).float()
    for at in torch.arange(len(cluster)).split(_BLOCK):
        sums.index_add_(0, cluster[at], one_hot(others.types[at], _TYPES) * weights[at, None, None])
    gone = centres.deletions.clone().index_add_(0, cluster, others.deletions * weights[:, None])
    msa = torch.cat(
        (
            one_hot(centres.types, _TYPES).float(),
            torch.stack((_any(centres.deletions), _squashed(centres.deletions)), -1),
            sums / members[..., None],
            _squashed(gone / members)[..., None],
        ),
        -1,
    )
    no_break = torch.zeros(residues, 1)
    # without a further row the network still needs one: it is absent, as the padding of AlphaFold2 is
    extra = others[kept] if len(kept) else Rows(query[None], torch.zeros(1, residues))
    return Features(
        residue_types=query,
        residue_index=torch.arange(residues),
        residue_presence=torch.ones(residues),
        target=torch.cat((no_break, one_hot(query, GAP).float()), -1),
        msa=msa,
        msa_presence=torch.ones(count, residues),
        extra_types=extra.types,
        extra_has_deletion=_any(extra.deletions),
        extra_deletions=_squashed(extra.deletions),
        extra_presence=torch.full_like(extra.deletions, float(len(kept) > 0)),
        templates=templates,
    )


def _any(deletions: Tensor) -> Tensor:
    return deletions.clamp(0, 1)


def _squashed(deletions: Tensor) -> Tensor:
    """Deletions from 0 to 1, however many."""
    return torch.atan(deletions / 3) * (2 / math.pi)
