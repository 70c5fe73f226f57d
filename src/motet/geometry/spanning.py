"""Which bonds of a topology make the tree of internal coordinates, and which of its torsions have a name."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ..chem import chis_of
from ..structure import Topology
from ..structure.topology import Integers

_STEPS = {("N", "CA"), ("CA", "C")}


def spanning_forest(topology: Topology) -> tuple[Integers, Integers]:
    """Parent of each atom, -1 for a root, and the atoms in the order they were reached.

    Four rounds of breadth-first search, so that every φ, ψ, ω and χ is a torsion of the tree: along the backbone;
    out along each side chain (proline's ring is cut at N-CD, others where the search meets itself); along
    whatever bonds are left (a disulfide joins two chains only if one of them has no backbone of its own); and
    through ligands, waters and ions.
    """
    n = topology.n_atoms
    neighbours = _neighbours(topology)
    backbone, inside = _backbone_bond(topology), _side_chain_bond(topology)
    parent, placed = np.full(n, -2, dtype=np.int64), []
    starts = _backbone_atoms(topology)
    for seeds, allowed in (
        (starts, backbone),
        ([], inside),
        ([], _any_bond),
        (np.arange(n).tolist(), _any_bond),
    ):
        _grow(parent, placed, neighbours, seeds, allowed)
    return parent, np.array(placed, dtype=np.int64)


def named_torsions(topology: Topology, parent: Integers) -> tuple[Integers, Integers, Integers, Integers]:
    """For each residue the atom at the end of φ, ψ, ω (`residues`) and χ1 to χ4 (`residues 4`), or -1."""
    n, ca, c = (topology.atom_index(name) for name in ("N", "CA", "C"))
    n_after, ca_after, c_before = _shifted(n, -1), _shifted(ca, -1), _shifted(c, 1)
    phi = _if_chain(parent, c_before, n, ca, c)
    psi = _if_chain(parent, n, ca, c, n_after)
    omega = _if_chain(parent, ca, c, n_after, ca_after)
    chi = np.full((topology.n_residues, 4), -1, dtype=np.int64)
    by_name = lru_cache(maxsize=None)(topology.atom_index)
    for residue in np.unique(topology.residue_names).tolist():
        here = np.flatnonzero(topology.residue_names == residue)
        for one in chis_of(residue):
            chi[here, one.number - 1] = _if_chain(parent, *(by_name(atom)[here] for atom in one.atoms))
    return phi, psi, omega, chi


def _if_chain(parent: Integers, *atoms: Integers) -> Integers:
    """The last of four atoms where each is the parent of the next, else -1."""
    exists = atoms[0] >= 0
    for above, below in pairwise(atoms):
        exists = exists & (below >= 0) & (parent[below] == above)
    return np.where(exists, atoms[-1], -1)


def _shifted(index: Integers, step: int) -> Integers:
    """The same of the residue before (1) or after (-1)."""
    moved = np.roll(index, step)
    moved[slice(None, 1) if step > 0 else slice(-1, None)] = -1
    return moved


def _neighbours(topology: Topology) -> list[list[int]]:
    """Bonded atoms of each atom: ends of a χ first, then heavy atoms, then hydrogens; by index among equals."""
    names = topology.residue_names.tolist()
    chi_ends = {name: {one.atoms[3] for one in chis_of(name)} for name in set(names)}
    rank = [
        2 if hydrogen else 0 if name in chi_ends[names[residue]] else 1
        for name, residue, hydrogen in zip(
            topology.atom_names.tolist(),
            topology.residue_of_atom.tolist(),
            topology.is_hydrogen.tolist(),
            strict=True,
        )
    ]
    found: list[list[int]] = [[] for _ in range(topology.n_atoms)]
    for a, b in topology.bonds.tolist():
        found[a].append(b)
        found[b].append(a)
    for bonded in found:
        bonded.sort(key=lambda atom: (rank[atom], atom))
    return found


def _backbone_atoms(topology: Topology) -> list[int]:
    """N, CA and C of the protein residues, in the order of the chain."""
    atoms = np.stack([topology.atom_index(name) for name in ("N", "CA", "C")], axis=1)
    return atoms[(atoms >= 0) & (topology.residue_kinds == "protein")[:, None]].tolist()


def _backbone_bond(topology: Topology) -> Callable[[int, int], bool]:
    """N-CA and CA-C within a residue, C-N between two."""
    names, residues = topology.atom_names.tolist(), topology.residue_of_atom.tolist()
    protein = topology.is_protein.tolist()

    def allowed(a: int, b: int) -> bool:
        if not (protein[a] and protein[b]):
            return False
        pair = names[a], names[b]
        if residues[a] == residues[b]:
            return pair in _STEPS or pair[::-1] in _STEPS
        return pair in (("C", "N"), ("N", "C"))

    return allowed


def _side_chain_bond(topology: Topology) -> Callable[[int, int], bool]:
    """Bonds within a protein residue, but none from N to a heavy atom."""
    names, residues = topology.atom_names.tolist(), topology.residue_of_atom.tolist()
    protein, hydrogen = topology.is_protein.tolist(), topology.is_hydrogen.tolist()

    def allowed(a: int, b: int) -> bool:
        if not protein[a] or residues[a] != residues[b]:
            return False
        return (names[a] != "N" or hydrogen[b]) and (names[b] != "N" or hydrogen[a])

    return allowed


def _any_bond(a: int, b: int) -> bool:
    """Any."""
    return True


def _grow(
    parent: Integers,
    placed: list[int],
    neighbours: list[list[int]],
    seeds: Iterable[int],
    allowed: Callable[[int, int], bool],
) -> None:
    """Breadth-first from what is placed, along the allowed bonds; then from each seed not reached so far."""
    queue = list(placed)
    for seed in (None, *seeds):
        if seed is not None:
            if parent[seed] != -2:
                continue
            parent[seed] = -1
            placed.append(seed)
            queue = [seed]
        for atom in queue:
            for other in neighbours[atom]:
                if parent[other] == -2 and allowed(atom, other):
                    parent[other] = atom
                    placed.append(other)
                    queue.append(other)
