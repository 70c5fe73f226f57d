"""Sequences as tensors: a padded batch, in which no protein sees another or the padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from ..errors import ConfigError

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
UNKNOWN = len(LETTERS)
_STANDS_FOR = {"U": "C", "O": "K", "B": "D", "Z": "E", "J": "L"}
SHORTEST = 5  # residues


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Proteins of unlike length, side by side.

    Args:
        types: Index into `LETTERS` of each residue; `UNKNOWN` for X and for padding.
        present: Whether there is a residue.
    """

    types: Int[Tensor, "proteins residues"]
    present: Bool[Tensor, "proteins residues"]

    @property
    def lengths(self) -> Int[Tensor, "proteins"]:
        """Residues of each protein."""
        return self.present.sum(-1)

    def one_hot(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "proteins residues 20"]:
        """One column a residue type; an unknown residue, like padding, is of none."""
        return one_hot(self.types, len(LETTERS) + 1)[..., :-1].to(dtype)

    def to(self, device: torch.device | str) -> "SequenceBatch":
        """The same batch on another device."""
        return SequenceBatch(self.types.to(device), self.present.to(device))


def encode(sequences: Sequence[str]) -> SequenceBatch:
    """One-letter codes as a batch; rare letters count as what they derive from, X as unknown.

    Raises:
        ConfigError: A sequence is too short to say anything about, or holds a letter that is no amino acid.
    """
    for sequence in sequences:
        strange = sorted(set(sequence.upper()) - set(LETTERS) - set(_STANDS_FOR) - {"X"})
        if strange:
            raise ConfigError(
                f"sequence {sequence[:12]}…: {''.join(strange)!r} is no amino acid; use one-letter codes."
            )
        if len(sequence) < SHORTEST:
            raise ConfigError(f"sequence {sequence!r} has {len(sequence)} residues; give at least {SHORTEST}.")
    longest = max((len(sequence) for sequence in sequences), default=0)
    types = torch.full((len(sequences), longest), UNKNOWN)
    present = torch.zeros((len(sequences), longest), dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        types[row, : len(sequence)] = torch.tensor([_index(letter) for letter in sequence.upper()])
        present[row, : len(sequence)] = True
    return SequenceBatch(types, present)


def _index(letter: str) -> int:
    found = LETTERS.find(_STANDS_FOR.get(letter, letter))
    return found if found >= 0 else UNKNOWN
