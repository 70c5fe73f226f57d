"""Wild type and mutant side by side: the same surroundings, packed the same way on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...forcefield import Conditions, ForceField
from ...forcefield.packing import Annealing, Packing, repacked_each
from ...forcefield.terms import TERMS, Covalent, Unfolded
from ...structure import Structure
from .surroundings import surroundings

PACKING = Packing(reach=6.5, most=16, annealing=Annealing(walkers=8, sweeps=40))
AT_ONCE = 8  # mutants packed and weighed in one call
KNEE = 6.0  # kcal/mol: far beyond it, a change counts as its logarithm does


@dataclass(frozen=True, eq=False)
class PackedPair:
    """The surroundings of one mutant, before and after.

    Args:
        wild_type: Packed around the wild type.
        mutant: Packed around the mutant.
    """

    wild_type: Structure
    mutant: Structure


def physics() -> ForceField:
    """The force field of ΔΔG: every term but the covalent one, since bonds are ideal on both sides."""
    return ForceField([make() for make in TERMS if make is not Covalent])


def packed_pairs(
    structure: Structure, mutants: Sequence[Sequence[str]], force_field: ForceField, seed: int = 0
) -> list[PackedPair]:
    """Both sides of some mutants, each a list of simultaneous mutations.

    Side chains with an atom within 8 Å of a mutated CB are packed anew on both sides. Neighbours may also stay as
    they are; the mutated residue may not, neither as wild type nor as mutant, so that no side is the native one.

    Raises:
        MutationError: A mutation does not fit the structure.
    """
    sides: list[Structure] = []
    turning, native = [], []
    place: dict[tuple[str, ...], int] = {}
    where = []
    for mutations in mutants:
        part = surroundings(structure, mutations)
        keep = np.ones(part.structure.n_residues, dtype=bool)
        keep[part.sites] = False
        site = tuple(sorted(text[:-1] for text in mutations))
        both = [part.structure.mutated(*mutations)]
        if site not in place:
            place[site] = len(sides)
            both = [part.structure, *both]
        sides += both
        turning += [part.turning] * len(both)
        native += [keep] * len(both)
        where.append((place[site], len(sides) - 1))
    packed = repacked_each(
        sides, turning, force_field=force_field, keep_native=native, seed=seed, settings=PACKING
    )
    return [PackedPair(packed[wild], packed[mutant]) for wild, mutant in where]


def term_changes(
    pairs: Sequence[PackedPair], force_field: ForceField, conditions: Conditions
) -> Float[Tensor, "mutants terms"]:
    """Change of each term's energy from wild type to mutant, in kcal/mol, weighted."""
    sides = {id(side): side for pair in pairs for side in (pair.wild_type, pair.mutant)}
    number = {key: row for row, key in enumerate(sides)}
    system = force_field.bind(
        list(sides.values()),
        temperature=conditions.temperature,
        ionic_strength=conditions.ionic_strength,
        ph=conditions.ph,
    )
    energies = system.terms(torch.cat([side.coords for side in sides.values()]))
    before = torch.tensor([number[id(pair.wild_type)] for pair in pairs])
    after = torch.tensor([number[id(pair.mutant)] for pair in pairs])
    return energies[after] - energies[before]


def tempered(changes: Float[Tensor, "*batch terms"], names: Sequence[str]) -> Float[Tensor, "*batch terms"]:
    """Changes beyond 6 kcal/mol count less and less: where packing finds no room, the backbone gives way.

    What the unfolded chain does not lose is no strain, and counts in full.
    """
    strain = torch.tensor([name != Unfolded.name for name in names], device=changes.device)
    return torch.where(strain, KNEE * (changes / KNEE).asinh(), changes)
