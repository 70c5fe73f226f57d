"""Predictions as structures: heavy atoms, with pLDDT in the B-factor column."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..chem import RESIDUES, STANDARD
from ..errors import ConfigError
from ..structure import Structure, Topology
from ..structure.bonding import bonds_of
from .prediction import Prediction
from .residues import ATOM_NAMES, LETTERS, PLACE_EXISTS, PLACES, UNKNOWN


def check_query(query: str) -> None:
    """Refuse what the network would read but place no atoms for.

    Raises:
        ConfigError: A letter of the query is none of the twenty amino acids.
    """
    unknown = sorted({letter for letter in query if letter not in LETTERS[:UNKNOWN]})
    if unknown:
        raise ConfigError(
            f"the query has {', '.join(unknown)}, for which AlphaFold2 places no atoms; replace such residues by "
            "the standard ones they come from, or cut them off."
        )


def structure_of(predictions: list[Prediction], query: str, name: str) -> Structure:
    """One chain with a model a prediction; B factors hold the pLDDT of the first.

    Raises:
        ConfigError: A letter of the query is none of the twenty amino acids.
    """
    coords = torch.stack([heavy_atoms(one, query) for one in predictions])
    topology = topology_of(query, coords[0].double().numpy())
    plddt = predictions[0].plddt.detach().float().cpu()[torch.from_numpy(topology.residue_of_atom.copy())]
    ones = torch.ones(topology.n_atoms)
    coords = coords[0] if len(predictions) == 1 else coords
    return Structure(topology, coords, plddt, ones, b_factor_meaning="pLDDT", name=name)


def heavy_atoms(prediction: Prediction, query: str) -> Float[Tensor, "atoms 3"]:
    """Places of all heavy atoms, in the order of `topology_of`, in Å."""
    places = prediction.folded.placed.positions.detach().float().cpu()
    exists = torch.from_numpy(PLACE_EXISTS[[LETTERS.index(letter) for letter in query]])
    return places.reshape(-1, PLACES, 3)[exists]


def topology_of(query: str, coords: np.ndarray) -> Topology:
    """The atoms that AlphaFold2 places for a sequence: chain A, numbered from 1, without the last oxygen."""
    check_query(query)
    names = [STANDARD[LETTERS.index(letter)] for letter in query]
    atoms = [RESIDUES[name].heavy_names for name in names]
    owner = np.repeat(np.arange(len(query)), [len(own) for own in atoms])
    flat = np.array([atom for own in atoms for atom in own])
    assert set(flat) <= set(ATOM_NAMES)
    elements = np.array([atom[0] for atom in flat])
    residues, kinds = np.array(names), np.full(len(query), "protein")
    chains = np.zeros(len(query), dtype=np.int64)
    return Topology(
        atom_names=flat,
        elements=elements,
        formal_charges=np.zeros(len(flat), dtype=np.int64),
        residue_of_atom=owner,
        residue_names=residues,
        residue_numbers=np.arange(1, len(query) + 1),
        insertion_codes=np.full(len(query), ""),
        residue_kinds=kinds,
        chain_of_residue=chains,
        chain_ids=np.array(["A"]),
        bonds=bonds_of(flat, elements, owner, residues, kinds, chains, coords),
    )
