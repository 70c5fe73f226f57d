"""What the flow network is told of a protein beside its noised frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from ..chem import RESIDUES, STANDARD
from ..io import Alignment
from .residues import UNKNOWN

PROFILE = len(STANDARD)
PROFILE_LETTERS = "".join(RESIDUES[name].letter for name in STANDARD)
_COLUMNS = ("residue_types", "numbers", "chains", "presence")  # one value a residue
_ROWS = ("profile", "reference")  # several


@dataclass(frozen=True, eq=False)
class FlowInputs:
    """Residues, and what else is known; `*batch` proteins, padded to one length.

    Args:
        residue_types: Numbers of the amino acids, as AlphaFold2 counts them; 20 is unknown.
        numbers: Place of each residue in its chain: a gap in the numbers is a gap in the chain.
        chains: Chain of each residue.
        presence: 1 for a residue, 0 for padding.
        profile: Share of each amino acid (in the order of `PROFILE_LETTERS`) in the alignment's columns.
        profile_presence: 1 where a protein's profile is known, 0 for a bare sequence.
        reference: Cα of a known conformation, in Å; only their distances are read.
        reference_presence: 1 where there is one.
        reference_noise: How far its atoms may have been displaced, in Å: how little it is to be trusted.
    """

    residue_types: Int[Tensor, "*batch residues"]
    numbers: Int[Tensor, "*batch residues"]
    chains: Int[Tensor, "*batch residues"]
    presence: Float[Tensor, "*batch residues"]
    profile: Float[Tensor, "*batch residues 20"]
    profile_presence: Float[Tensor, "*batch"]
    reference: Float[Tensor, "*batch residues 3"]
    reference_presence: Float[Tensor, "*batch"]
    reference_noise: Float[Tensor, "*batch"]

    @classmethod
    def of_sequence(
        cls,
        residue_types: Int[Tensor, "*batch residues"],
        numbers: Int[Tensor, "*#batch residues"] | None = None,
        chains: Int[Tensor, "*#batch residues"] | None = None,
        dtype: torch.dtype | None = None,
    ) -> "FlowInputs":
        """Residues alone: one chain without gaps, unless told otherwise."""
        types = residue_types.long().clamp(max=UNKNOWN)
        none = torch.zeros(types.shape, dtype=dtype or torch.get_default_dtype(), device=types.device)
        counted = torch.arange(types.shape[-1], device=types.device).expand(types.shape)
        return cls(
            types,
            counted if numbers is None else numbers.expand(types.shape),
            torch.zeros_like(types) if chains is None else chains.expand(types.shape),
            none + 1,
            none[..., None].expand(*types.shape, PROFILE),
            none.sum(-1),
            none[..., None].expand(*types.shape, 3),
            none.sum(-1),
            none.sum(-1),
        )

    def with_profile(self, profile: Float[Tensor, "*batch residues 20"]) -> "FlowInputs":
        """The same with an alignment profile."""
        return replace(self, profile=profile, profile_presence=torch.ones_like(self.profile_presence))

    def with_reference(
        self, reference: Float[Tensor, "*batch residues 3"], noise: Float[Tensor, "*#batch"]
    ) -> "FlowInputs":
        """The same with a known conformation, displaced already, by `noise` Å."""
        known = torch.ones_like(self.reference_presence)
        return replace(self, reference=reference, reference_presence=known, reference_noise=known * noise)

    def part(self, residues: slice) -> "FlowInputs":
        """Some residues of one protein."""
        cut = {name: getattr(self, name)[residues] for name in (*_COLUMNS, *_ROWS)}
        return replace(self, **cut)

    @property
    def follows(self) -> Float[Tensor, "*batch residues"]:
        """1 for a residue that is bonded to the one before it in the list."""
        same = (self.numbers[..., 1:] == self.numbers[..., :-1] + 1) & (
            self.chains[..., 1:] == self.chains[..., :-1]
        )
        both = self.presence[..., 1:] * self.presence[..., :-1]
        return pad(same * both, (1, 0))


def profile_in_order(profile: Float[Tensor, "*batch 20"], letters: str) -> Float[Tensor, "*batch 20"]:
    """A profile whose columns are `letters`, in the order of the network."""
    return profile[..., [letters.index(letter) for letter in PROFILE_LETTERS]]


def profile_of(alignment: Alignment) -> Float[Tensor, "residues 20"]:
    """Share of each amino acid in the columns of an alignment, gaps and unknown letters left out."""
    letters = np.array([list(row) for row in alignment.rows])
    counts = np.stack([(letters == one).sum(0) for one in PROFILE_LETTERS], -1)
    return torch.from_numpy(counts / counts.sum(-1, keepdims=True).clip(1)).float()


def stacked(inputs: Sequence[FlowInputs]) -> FlowInputs:
    """Proteins of unlike lengths as one batch, padded behind."""
    longest = max(one.presence.shape[-1] for one in inputs)

    def together(name: str) -> Tensor:
        values = [getattr(one, name) for one in inputs]
        if name in _COLUMNS:
            values = [pad(one, (0, longest - one.shape[-1])) for one in values]
        elif name in _ROWS:
            values = [pad(one, (0, 0, 0, longest - one.shape[-2])) for one in values]
        return torch.stack(values)

    return FlowInputs(**{name: together(name) for name in FlowInputs.__dataclass_fields__})
