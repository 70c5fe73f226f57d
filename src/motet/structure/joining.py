"""Peptide bonds of a model so far out of shape that its C and N no longer touch."""

import math
from dataclasses import replace

import numpy as np

from .structure import Note, Structure

REACH = 3.5  # Å; a residue that is missing between two leaves more room


def with_peptides_joined(structure: Structure, reach: float = REACH) -> Structure:
    """The structure with a bond between C and N of residues with consecutive numbers that are near each other.

    Readers take such a gap for a chain break, as it is in a sound model; a refinement starts from others, too.

    Args:
        structure: Any.
        reach: Longest distance from C to N in any conformation, in Å.
    """
    topology = structure.topology
    carbon, nitrogen = topology.atom_index("C")[:-1], topology.atom_index("N")[1:]
    protein = topology.residue_kinds == "protein"
    next_one = (np.diff(topology.chain_of_residue) == 0) & (np.diff(topology.residue_numbers) == 1)
    plain = (topology.insertion_codes[:-1] == "") & (topology.insertion_codes[1:] == "")
    loose = next_one & plain & protein[:-1] & protein[1:] & ~topology.follows[1:] & (carbon >= 0) & (nitrogen >= 0)
    before = np.flatnonzero(loose)
    pairs = np.stack((carbon[before], nitrogen[before]), axis=-1)
    apart = (structure.coords[..., pairs[:, 0], :] - structure.coords[..., pairs[:, 1], :]).norm(dim=-1)
    near = (apart.reshape(math.prod(apart.shape[:-1]), len(before)) < reach).all(0).cpu().numpy()
    if not near.any():
        return structure
    bonds = np.unique(np.concatenate((topology.bonds, np.sort(pairs[near], axis=-1))), axis=0)
    ends = ", ".join(topology.residue_label(k) for k in before[near][:4].tolist())
    more = f" and {near.sum() - 4} more" if near.sum() > 4 else ""
    note = Note("repaired", f"stretched peptide bonds taken as bonds: {int(near.sum())}, after {ends}{more}.")
    return replace(structure, topology=replace(topology, bonds=bonds)).with_notes(note)
