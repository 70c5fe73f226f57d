"""Changes to what the network sees or how it attends, for ensembles: nothing is trained, nothing stays changed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from ..errors import ConfigError
from ..nn import GatedSelfAttention
from .alignment import Rows
from .evoformer import EvoformerStack
from .residues import UNKNOWN


@contextmanager
def tempered(stack: EvoformerStack, beta: float, blocks: Sequence[int] | None = None) -> Iterator[None]:
    """Within it, attention in the alignment has the inverse temperature `beta` in these blocks (all, if left out).

    Below 1 tokens attend to more others and merge faster; above 1 they keep apart in more clusters.
    """
    if not beta > 0:
        raise ConfigError(f"beta={beta} must be above 0.")
    attentions = attentions_of(stack, blocks)
    before = [attention.beta for attention in attentions]
    for attention in attentions:
        attention.beta = beta
    try:
        yield
    finally:
        for attention, value in zip(attentions, before, strict=True):
            attention.beta = value


def attentions_of(stack: EvoformerStack, blocks: Sequence[int] | None = None) -> list[GatedSelfAttention]:
    """Attention along rows and down columns of these blocks."""
    chosen = range(len(stack.blocks)) if blocks is None else blocks
    names = [f"blocks.{i}.{half}.attention" for i in chosen for half in ("row_attention", "column_attention")]
    found = [stack.get_submodule(name) for name in names]
    return [attention for attention in found if isinstance(attention, GatedSelfAttention)]


def without_columns(rows: Rows, fraction: float, generator: torch.Generator) -> Rows:
    """A share of the columns made unknown in all rows but the query, as AFsample2 does.

    Source: Kalakoti and Wallner, Commun. Biol. 8, 373 (2025): what columns say together holds a state.
    """
    if not 0 <= fraction < 1:
        raise ConfigError(f"a share of {fraction} columns cannot be masked: give a number from 0 to below 1.")
    columns = rows.types.shape[1]
    hit = torch.randperm(columns, generator=generator)[: round(fraction * columns)]
    types, deletions = rows.types.clone(), rows.deletions.clone()
    types[1:, hit], deletions[1:, hit] = UNKNOWN, 0
    return Rows(types, deletions)


def with_shuffled_columns(rows: Rows, generator: torch.Generator) -> Rows:
    """Every column in an order of its own, the query as it is: profiles stay, what columns share is lost."""
    others = rows.types.shape[0] - 1
    order = torch.rand(others, rows.types.shape[1], generator=generator).argsort(0)
    types, deletions = rows.types.clone(), rows.deletions.clone()
    types[1:], deletions[1:] = types[1:].gather(0, order), deletions[1:].gather(0, order)
    return Rows(types, deletions)
