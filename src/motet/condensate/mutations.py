"""What a mutation does to phase separation: by the network, and by the mean-field saturation concentration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ..errors import MutationError
from ..forcefield import Conditions
from .physics import PairTables
from .predictor import PhaseSeparation, batches_of
from .sequences import LETTERS, encode


@dataclass(frozen=True)
class MutationEffect:
    """One mutant against the wild type.

    Args:
        mutation: Such as `Y45S`; several are joined with `;`.
        logit: Change of the driver's logit: above 0, the mutant separates more readily.
        spread: Standard deviation of that change over the members of the network.
        log_saturation: Change of ln c_sat: below 0, the mutant separates at lower concentration.
    """

    mutation: str
    logit: float
    spread: float
    log_saturation: float


def mutated_sequence(sequence: str, mutation: str) -> str:
    """The sequence with these point mutations, `Y45S` or `Y45S;F50A`, numbered from 1.

    Raises:
        MutationError: One cannot be read, or the wild type is another.
    """
    letters = list(sequence)
    for one in mutation.replace(",", ";").split(";"):
        text = one.strip().upper()
        if len(text) < 3 or not text[1:-1].isdigit() or text[-1] not in LETTERS:
            raise MutationError(one, "cannot be read for a sequence, where it is written Y45S")
        number = int(text[1:-1])
        if not 1 <= number <= len(sequence):
            raise MutationError(one, f"the sequence has residues 1 to {len(sequence)}")
        if sequence[number - 1].upper() != text[0]:
            raise MutationError(one, f"residue {number} is {sequence[number - 1]}, not {text[0]}")
        letters[number - 1] = text[-1]
    return "".join(letters)


def saturation_scan(sequence: str, positions: Sequence[int] | None = None) -> list[str]:
    """Every point mutation at these positions (from 1), or at all of them."""
    chosen = range(1, len(sequence) + 1) if positions is None else positions
    return [
        f"{sequence[p - 1]}{p}{letter}" for p in chosen for letter in LETTERS if letter != sequence[p - 1].upper()
    ]


@torch.no_grad()
def effects(
    network: PhaseSeparation,
    sequence: str,
    mutations: Sequence[str],
    conditions: Conditions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[MutationEffect]:
    """The effect of each mutation on this sequence.

    Raises:
        MutationError: One does not fit the sequence.
    """
    tables = network.tables(conditions or Conditions())
    mutants = [mutated_sequence(sequence, one) for one in mutations]
    wild_logit, wild_saturation = _scores(network, [sequence], tables)
    found: list[MutationEffect] = []
    for chunk in batches_of([len(one) for one in mutants]):
        logit, saturation = _scores(network, [mutants[i] for i in chunk], tables)
        change, shift = logit - wild_logit, saturation - wild_saturation
        for row, index in enumerate(chunk):
            members = change[:, row]
            effect = (float(members.mean()), float(members.std(correction=0)), float(shift[:, row].mean()))
            found.append(MutationEffect(mutations[index], *effect))
        if progress:
            progress(len(found), len(mutants))
    return found


def _scores(
    network: PhaseSeparation, sequences: Sequence[str], tables: PairTables
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logit of driver and ln c_sat, `members proteins` each."""
    readings = network(encode(sequences), tables)
    logits = torch.stack([one.driver for one in readings])
    return logits, torch.stack([one.view.log_saturation for one in readings])
