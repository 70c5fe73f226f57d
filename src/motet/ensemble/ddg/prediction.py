"""ΔΔG from one structure: E(mutant) - E(wild type) of two sides packed alike, less the unfolded chains'."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from ...forcefield import Conditions, ForceField
from ...structure import Structure, parse_mutation
from .packed_pairs import AT_ONCE, packed_pairs, physics, tempered, term_changes
from .preferences import LETTERS
from .site_model import SiteModel, site_energies

SITES = "site_model"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class StabilityChange:
    """What some simultaneous mutations do to a protein's stability.

    Args:
        mutations: As they were asked for, such as `A:L14A`.
        ddg: Change of the free energy of folding, in kcal/mol; positive destabilises.
        parts: Weighted change of each term, in kcal/mol; they add up to `ddg`.
    """

    mutations: tuple[str, ...]
    ddg: float
    parts: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class StabilityModel:
    """How ΔΔG is predicted.

    Args:
        with_sites: Whether the learned site model stands beside the force field's terms; without it, they alone
            decide, with weights of their own.
        conditions: Temperature, salt and pH of the measurement to predict.
        seed: Seed of the packing.
    """

    with_sites: bool = True
    conditions: Conditions = field(default_factory=Conditions)
    seed: int = 0


def stability_changes(
    structure: Structure,
    mutants: Sequence[Sequence[str]],
    model: StabilityModel | None = None,
    progress: Progress | None = None,
) -> list[StabilityChange]:
    """ΔΔG of each mutant, a list of simultaneous mutations, of a prepared structure's first conformation.

    The difference is taken between the two sides of one pair of structures, packed alike: read backwards it has
    the same size and the other sign.

    Raises:
        MutationError: A mutation does not fit the structure.
    """
    return list(each_stability_change(structure, mutants, model, progress))


def each_stability_change(
    structure: Structure,
    mutants: Sequence[Sequence[str]],
    model: StabilityModel | None = None,
    progress: Progress | None = None,
) -> Iterator[StabilityChange]:
    """The same, one after another as they are ready; nothing depends on who else is asked for."""
    how = model or StabilityModel()
    structure = structure.model(0)
    for mutations in mutants:  # a mistake in the last one is told before the first is weighed
        for text in mutations:
            parse_mutation(text, structure.topology)
    with torch.no_grad():
        packing = physics().to(structure.coords.device)
        unweighted, weights = _unweighted(ForceField.stability(beside_sites=how.with_sites), structure)
        worth = site_energies(SiteModel().to(structure.coords.device), structure) if how.with_sites else None
        for start in range(0, len(mutants), AT_ONCE):
            part = [tuple(one) for one in mutants[start : start + AT_ONCE]]
            pairs = packed_pairs(structure, part, packing, how.seed)
            changes = term_changes(pairs, unweighted, how.conditions)
            changes = tempered(changes, unweighted.names) * weights
            for mutations, row in zip(part, changes.tolist(), strict=True):
                parts = dict(zip(unweighted.names, row, strict=True))
                if worth is not None:
                    parts[SITES] = sum(_worth(worth, structure, text) for text in mutations)
                yield StabilityChange(mutations, sum(parts.values()), parts)
            if progress:
                progress(min(start + AT_ONCE, len(mutants)), len(mutants))


def _unweighted(fitted: ForceField, structure: Structure) -> tuple[ForceField, torch.Tensor]:
    """The field with weights of one, and its weights: changes are tempered before they are weighed."""
    fitted = fitted.to(structure.coords.device)
    weights = fitted.weights.detach().clone()
    fitted.weights.fill_(1.0)
    return fitted, weights.to(structure.coords.dtype)


def _worth(worth: torch.Tensor, structure: Structure, text: str) -> float:
    """What the new residue is worth at its place, less the old one."""
    mutation = parse_mutation(text, structure.topology)
    old, new = text.split(":")[-1].strip()[0].upper(), text.strip()[-1].upper()
    row = worth[mutation.residue]
    return float(row[LETTERS.index(new)] - row[LETTERS.index(old)])
