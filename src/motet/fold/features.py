"""What the network reads: tensors with names and shapes."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError

_Record = TypeVar("_Record", "Features", "Templates")

MSA_CHANNELS, TARGET_CHANNELS, EXTRA_CHANNELS = 49, 22, 25


@dataclass(frozen=True, eq=False, kw_only=True)
class Templates:
    """Structures of homologues, laid on the query.

    Args:
        residue_types: Residues of the template, 20 unknown, 21 gap.
        positions: Atoms in the 37 shared places, in Å; zero where unknown.
        atom_presence: 1 where an atom is known.
        presence: 1 for a template, 0 for an empty place.
    """

    residue_types: Int[Tensor, "*batch templates residues"]
    positions: Float[Tensor, "*batch templates residues 37 3"]
    atom_presence: Float[Tensor, "*batch templates residues 37"]
    presence: Float[Tensor, "*batch templates"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Features:
    """Everything that the network reads of one protein, or of a batch of equally long ones.

    A presence is 1, or 0 for padding; between, in an alignment, it weighs a row: a row of weight 0 is as good as
    deleted, one of weight 1 counts in full.

    Args:
        residue_types: Residues of the query, 0 to 19, 20 unknown.
        residue_index: Number of each residue in its chain; a jump is a chain break.
        residue_presence: 1 for a residue, 0 for padding.
        target: The query, one-hot, after a mark for chain breaks.
        msa: Cluster centres: one-hot residues, deletions, profile of the cluster.
        msa_presence: Presence of each residue of each cluster centre.
        extra_types: The other rows, by residue type (21 gap, 22 masked).
        extra_has_deletion: Whether residues of the row are missing from the query here.
        extra_deletions: How many, as 2/π arctan(n/3).
        extra_presence: Presence of each residue of each other row.
        templates: Structures of homologues; None for a model that reads none.
    """

    residue_types: Int[Tensor, "*batch residues"]
    residue_index: Int[Tensor, "*batch residues"]
    residue_presence: Float[Tensor, "*batch residues"]
    target: Float[Tensor, "*batch residues 22"]
    msa: Float[Tensor, "*batch rows residues 49"]
    msa_presence: Float[Tensor, "*batch rows residues"]
    extra_types: Int[Tensor, "*batch extra residues"]
    extra_has_deletion: Float[Tensor, "*batch extra residues"]
    extra_deletions: Float[Tensor, "*batch extra residues"]
    extra_presence: Float[Tensor, "*batch extra residues"]
    templates: Templates | None = None

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "Features":
        """The same with another type of real numbers (integers stay), or on another device."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)

        templates = None if self.templates is None else _mapped(self.templates, move)
        return replace(_mapped(self, move), templates=templates)

    def weighted(
        self,
        rows: Float[Tensor, "*#batch rows"] | None = None,
        extra: Float[Tensor, "*#batch extra"] | None = None,
    ) -> "Features":
        """The same with a weight from 0 to 1 on each row; the first row, the query, keeps its own weight of 1."""
        if rows is not None and bool((rows[..., 0] != 1).any()):
            raise ConfigError("the first row of the alignment is the query: its weight must stay 1.")
        for weights in (rows, extra):
            if weights is not None and bool(((weights < 0) | (weights > 1)).any()):
                raise ConfigError("weights of alignment rows must lie between 0 and 1.")
        return replace(
            self,
            msa_presence=self.msa_presence if rows is None else self.msa_presence * rows[..., None],
            extra_presence=self.extra_presence if extra is None else self.extra_presence * extra[..., None],
        )


def _mapped(record: _Record, move: Callable[[Tensor], Tensor]) -> _Record:
    values = {one.name: getattr(record, one.name) for one in fields(record)}
    return replace(record, **{name: move(value) for name, value in values.items() if isinstance(value, Tensor)})
