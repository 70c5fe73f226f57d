"""What a mutation touches: the residues that make room for it, and the surroundings that decide its energy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import KDTree

from ...structure import Structure, Topology
from ...structure.mutation import parse_mutation
from ...structure.topology import Integers, Mask
from .preferences import virtual_cb

TURNING = 8.0  # Å from the mutated CB: side chains this near are packed anew
ENERGY = 13.0  # Å from it: what is farther away is left out


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The part of a structure that a set of mutations can feel, cut out of it.

    The cut ends of a chain keep the next residue's peptide atoms alone, so that no charged end appears.

    Args:
        structure: The part, before mutation.
        sites: Its mutated residues.
        turning: Its residues whose side chains are packed anew, the sites among them.
    """

    structure: Structure
    sites: Integers
    turning: Mask


def surroundings(structure: Structure, mutations: Sequence[str]) -> Surroundings:
    """The surroundings of some mutations in one conformation.

    They depend on the sites' backbone and not on what stands there, so that wild type and mutant have the same.

    Raises:
        MutationError: A mutation does not fit the structure.
    """
    topology = structure.topology
    sites = sorted({parse_mutation(text, topology).residue for text in mutations})
    points = structure.model(0).coords.detach().double().cpu().numpy()
    tree = KDTree(points)
    centres = np.stack([_centre(topology, points, site) for site in sites])
    near, far = (_residues(topology, tree.query_ball_point(centres, reach)) for reach in (TURNING, ENERGY))
    near[sites] = far[sites] = True
    keep = far[topology.residue_of_atom] | _flanks(topology, far)
    part = structure.model(0).subset(keep)
    kept = np.unique(topology.residue_of_atom[keep])
    return Surroundings(part, np.searchsorted(kept, sites), near[kept])


def _residues(topology: Topology, found: Iterable[list[int]]) -> Mask:
    mask = np.zeros(topology.n_residues, dtype=bool)
    for atoms in found:
        mask[topology.residue_of_atom[atoms]] = True
    return mask


def _centre(topology: Topology, points: np.ndarray, residue: int) -> np.ndarray:
    """Where CB is, or would be: by N, CA and C alone; CA where one of them is missing."""
    n, ca, c, _ = topology.backbone[residue]
    if min(n, ca, c) < 0:
        own = topology.first_atoms[residue]
        return points[ca if ca >= 0 else own]
    return virtual_cb(*torch.from_numpy(points[[n, ca, c]])).numpy()


def _flanks(topology: Topology, inside: Mask) -> Mask:
    """C, CA and O of the residue before each cut end, N and CA of the one after."""
    follows = topology.follows
    before, after = np.zeros_like(inside), np.zeros_like(inside)
    before[:-1] = follows[1:] & inside[1:] & ~inside[:-1]
    after[1:] = follows[1:] & inside[:-1] & ~inside[1:]
    names = topology.atom_names
    ends = before[topology.residue_of_atom] & np.isin(names, ("C", "CA", "O"))
    return ends | (after[topology.residue_of_atom] & np.isin(names, ("N", "CA")))
