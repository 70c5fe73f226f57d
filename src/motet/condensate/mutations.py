"""What a mutation does to phase separation: by the network, and by the mean-field saturation concentration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ConfigError, MutationError
from ..forcefield import Conditions
from .direction import changes
from .physics import PairTables
from .predictor import PhaseSeparation, batches_of
from .sequences import LETTERS, SequenceBatch, encode

WRITTEN = "of a sequence, write it as wild type, number, new: Y45S"


@dataclass(frozen=True)
class MutationEffect:
    """One mutant against the wild type.

    Args:
        mutation: Such as `Y45S`; several are joined with `;`.
        strengthens: Probability that it strengthens phase separation rather than weakens it, as in known mutants.
        logit: Change of the driver's logit: above 0, the mutant separates more readily.
        spread: Standard deviation of that change over the members of the network.
        log_saturation: Change of ln c_sat: below 0, the mutant separates at lower concentration.
        disorder: Change of the number of disordered residues.
    """

    mutation: str
    strengthens: float
    logit: float
    spread: float
    log_saturation: float
    disorder: float


def mutated_sequence(sequence: str, mutation: str) -> str:
    """The sequence with these point mutations, `Y45S` or `Y45S;F50A`, numbered from 1.

    Raises:
        MutationError: One cannot be read, or the wild type is another.
    """
    letters = list(sequence)
    for one in mutation.replace(",", ";").split(";"):
        text = one.strip().upper()
        if len(text) < 3 or not text[1:-1].isdigit() or text[-1] not in LETTERS:
            raise MutationError(one, "cannot be read", WRITTEN)
        number = int(text[1:-1])
        if not 1 <= number <= len(sequence):
            raise MutationError(one, f"the sequence has residues 1 to {len(sequence)}", WRITTEN)
        if sequence[number - 1].upper() != text[0]:
            raise MutationError(one, f"residue {number} is {sequence[number - 1]}, not {text[0]}", WRITTEN)
        letters[number - 1] = text[-1]
    return "".join(letters)


def saturation_scan(sequence: str, positions: Sequence[int] | None = None) -> list[str]:
    """Every point mutation at these positions (from 1), or at all of them.

    Raises:
        ConfigError: The sequence has no such position.
    """
    every = range(1, len(sequence) + 1)
    chosen = every if positions is None else positions
    if beyond := [position for position in chosen if position not in every]:
        raise ConfigError(f"there is no residue {beyond[0]} to mutate: the sequence has 1 to {len(sequence)}.")
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

    Mutants are read with the disorder of the wild type, so that logit and c_sat tell what contacts do; the change
    of disorder stands beside them, and all of it decides whether a mutation is said to strengthen.

    Raises:
        MutationError: One does not fit the sequence.
    """
    tables = network.tables(conditions or Conditions())
    mutants = [mutated_sequence(sequence, one) for one in mutations]
    wild = encode([sequence])
    loose = network.disorder(wild)
    wild_logit, wild_saturation = _scores(network, wild, tables, loose)
    found: dict[int, MutationEffect] = {}
    for chunk in batches_of([len(one) for one in mutants]):
        batch = encode([mutants[i] for i in chunk])
        logit, saturation = _scores(network, batch, tables, loose.expand(len(chunk), -1))
        change, shift = logit - wild_logit, (saturation - wild_saturation).mean(0)
        different = changes(network.physics.coarse, tables.charges, batch, wild, network.disorder(batch), loose)
        columns = (network.direction(different).sigmoid(), change.mean(0), change.std(0, correction=0), shift)
        rows = torch.stack((*columns, different[:, -1]), -1).tolist()
        found |= {i: MutationEffect(mutations[i], *row) for i, row in zip(chunk, rows, strict=True)}
        if progress:
            progress(len(found), len(mutants))
    return [found[i] for i in range(len(mutants))]


def _scores(
    network: PhaseSeparation, batch: SequenceBatch, tables: PairTables, disorder: Tensor
) -> tuple[Tensor, Tensor]:
    """Logit of driver and ln c_sat, `members proteins` each."""
    readings = network(batch, tables, disorder)
    logits = torch.stack([one.driver for one in readings])
    return logits, torch.stack([one.view.log_saturation for one in readings])
