"""What a structure adds to a sequence: which residues are disordered, and which can be touched."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..chem import RESIDUES, parent_of
from ..errors import NoProteinError
from ..forcefield import Conditions, ForceField
from ..shapes import Coords
from ..structure import Structure

HALF_BURIED, BURIAL_WIDTH = 305.0, 13.0  # Å³ around a residue's atoms at 25 % relative accessibility
HALF_SURE, SURE_WIDTH = 68.0, 6.0  # pLDDT at which AlphaFold's residues are as often disordered as not
PATCH = 0.15  # how much an exposed residue of a fold counts beside one that can turn to meet others


@dataclass(frozen=True, eq=False)
class StructuredChain:
    """One protein chain with what its structure tells.

    Args:
        name: Of the structure, and of the chain when there are several.
        sequence: One-letter codes of the residues that are there.
        residues: Their indices in the structure.
        disorder: Probability of disorder by pLDDT; None where the structure is no prediction.
    """

    name: str
    sequence: str
    residues: np.ndarray
    disorder: Float[Tensor, "residues"] | None


def chains_of(structure: Structure) -> tuple[StructuredChain, ...]:
    """The protein chains of a structure.

    Raises:
        NoProteinError: There is none.
    """
    topology = structure.topology
    found = []
    for chain, label in enumerate(topology.chain_ids.tolist()):
        residues = np.flatnonzero((topology.chain_of_residue == chain) & (topology.residue_kinds == "protein"))
        if len(residues):
            letters = "".join(_letter(name) for name in topology.residue_names[residues].tolist())
            found.append((label, letters, residues))
    if not found:
        raise NoProteinError(structure.name)
    disorder = _by_confidence(structure)
    return tuple(
        StructuredChain(
            structure.name if len(found) == 1 else f"{structure.name}_{label}",
            letters,
            residues,
            None if disorder is None else disorder[torch.tensor(residues)],
        )
        for label, letters, residues in found
    )


def exposure(
    structure: Structure, coords: Coords, force_field: ForceField, conditions: Conditions
) -> Float[Tensor, "*batch residues"]:
    """How open each residue lies, 0 to 1, ½ at a quarter of its accessible surface; smooth in the coordinates."""
    system = force_field.bind(
        structure,
        temperature=conditions.temperature,
        ionic_strength=conditions.ionic_strength,
        ph=conditions.ph,
    )
    burial = system.burial(coords)
    owner = torch.tensor(structure.topology.residue_of_atom).to(coords.device)[system.seen.to(coords.device)]
    size = torch.zeros(structure.n_residues, dtype=coords.dtype, device=coords.device)
    size = size.index_add(0, owner, torch.ones_like(burial.reshape(-1, len(owner))[0]))
    total = burial.new_zeros(*burial.shape[:-1], structure.n_residues).index_add(-1, owner, burial)
    return torch.sigmoid((HALF_BURIED - total / size.clamp_min(1.0)) / BURIAL_WIDTH)


def available(
    disorder: Float[Tensor, "*batch residues"], exposed: Float[Tensor, "*batch residues"]
) -> Float[Tensor, "*batch residues"]:
    """How far a residue is free to meet others: wholly where the chain is disordered, a patch where it folds."""
    return disorder + (1.0 - disorder) * PATCH * exposed


def _by_confidence(structure: Structure) -> Float[Tensor, "residues"] | None:
    if structure.b_factor_meaning != "pLDDT":
        return None
    first = torch.tensor(structure.topology.first_atoms[:-1])
    return torch.sigmoid((HALF_SURE - structure.b_factors[first]) / SURE_WIDTH)


def _letter(name: str) -> str:
    parent = parent_of(name) if name in RESIDUES else None
    return (RESIDUES[parent].letter if parent else "") or "X"
