"""A structure from a sequence and a backbone trace, as data sets and networks give it."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..chem import BY_LETTER
from ..errors import ConfigError
from .bonding import bonds_of
from .structure import Structure
from .topology import Topology

TRACE = ("N", "CA", "C", "O")


def structure_from_backbone(
    sequence: str, coords: Float[Tensor, "*batch residues 4 3"], chain_id: str = "A", name: str = "backbone"
) -> Structure:
    """One chain of N, CA, C and O; `completed()` builds the side chains.

    Args:
        sequence: One-letter codes, one a residue; unknown letters become UNK.
        coords: In Å.
        chain_id: Name of the chain.
        name: Name of the structure.

    Raises:
        ConfigError: Sequence and coordinates differ in length.
    """
    residues = coords.shape[-3]
    if len(sequence) != residues or coords.shape[-2] != len(TRACE):
        raise ConfigError(
            f"a sequence of {len(sequence)} residues does not fit coordinates of shape {tuple(coords.shape)}; "
            "give `residues 4 3`, N CA C O of each residue."
        )
    owner = np.repeat(np.arange(residues), len(TRACE))
    names = np.array([BY_LETTER.get(letter, "UNK") for letter in sequence.upper()], dtype=np.str_)
    flat = coords.reshape(*coords.shape[:-3], residues * len(TRACE), 3)
    kinds = np.full(residues, "protein")
    chains = np.zeros(residues, dtype=np.int64)
    atoms, elements = np.tile(TRACE, residues), np.tile(("N", "C", "C", "O"), residues)
    first = flat.detach().cpu().reshape(-1, *flat.shape[-2:])[0].double().numpy()
    topology = Topology(
        atom_names=atoms,
        elements=elements,
        formal_charges=np.zeros(len(atoms), dtype=np.int64),
        residue_of_atom=owner,
        residue_names=names,
        residue_numbers=np.arange(1, residues + 1),
        insertion_codes=np.full(residues, ""),
        residue_kinds=kinds,
        chain_of_residue=chains,
        chain_ids=np.array([chain_id]),
        bonds=bonds_of(atoms, elements, owner, names, kinds, chains, first),
    )
    return Structure(topology, flat, torch.zeros(len(atoms)), torch.ones(len(atoms)), name=name)
