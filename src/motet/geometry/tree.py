"""The tree that internal coordinates hang on: who is placed from whom."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import ArrayLike
from torch import Tensor

from ..structure import Topology
from .spanning import named_torsions, spanning_forest


@dataclass(frozen=True, eq=False)
class Tree:
    """A forest over the atoms, one tree for each piece that hangs together; index tensors, all on one device.

    Above each root stand two imaginary atoms, numbered after the real ones, so that every other atom has a parent,
    a grandparent and a great-grandparent. Siblings share the torsion of their leader.

    Args:
        parent: Atom that each atom is bonded to and placed from; a root names its first imaginary atom.
        grandparent: Parent of the parent.
        great_grandparent: Parent of the grandparent.
        leader: The sibling (or itself) whose torsion each atom follows; a root leads itself.
        roots: Atoms where the trees begin.
        root_frame: Three atoms that give each root its frame: a neighbour's neighbour, itself, a neighbour.
        tree_of_atom: Which tree each atom belongs to.
        preorder: Atoms in an order where every subtree is one run.
        first: Where in that order the subtree of each atom begins.
        last: Where it ends (one past).
        phi: For each residue the atom whose torsion is φ, -1 where there is none.
        psi: The same for ψ.
        omega: The same for ω, about the bond from the residue's C to the next N.
        chi: The same for χ1 to χ4.
    """

    parent: Int[Tensor, "atoms"]
    grandparent: Int[Tensor, "atoms"]
    great_grandparent: Int[Tensor, "atoms"]
    leader: Int[Tensor, "atoms"]
    roots: Int[Tensor, "roots"]
    root_frame: Int[Tensor, "roots 3"]
    tree_of_atom: Int[Tensor, "atoms"]
    preorder: Int[Tensor, "atoms"]
    first: Int[Tensor, "atoms"]
    last: Int[Tensor, "atoms"]
    phi: Int[Tensor, "residues"]
    psi: Int[Tensor, "residues"]
    omega: Int[Tensor, "residues"]
    chi: Int[Tensor, "residues 4"]

    @classmethod
    def of(cls, topology: Topology) -> "Tree":
        """The tree of a topology: along the backbone first, then out along the side chains; rings are cut.

        Residues or chains without a bond between them are trees of their own, as are waters, ions and ligands.
        """
        parent, placed = spanning_forest(topology)
        tree = cls.from_parents(parent.tolist(), placed.tolist())
        phi, psi, omega, chi = (torch.from_numpy(index) for index in named_torsions(topology, parent))
        leads = tree.leader == torch.arange(topology.n_atoms)
        leads = torch.cat((leads, leads.new_zeros(1)))  # -1 stays -1
        phi, psi, omega, chi = (torch.where(leads[index], index, -1) for index in (phi, psi, omega, chi))
        return replace(tree, phi=phi, psi=psi, omega=omega, chi=chi)

    @classmethod
    def from_parents(cls, parent: Sequence[int], placed: Sequence[int] | None = None) -> "Tree":
        """The tree in which each atom has this parent (-1 for a root); no named torsions.

        Args:
            parent: Parent of each atom.
            placed: The atoms in some order where parents precede children; the first child leads its siblings.
        """
        placed = _parents_first(parent) if placed is None else placed
        children: list[list[int]] = [[] for _ in parent]
        roots = [atom for atom in placed if parent[atom] < 0]
        for atom in placed:
            if parent[atom] >= 0:
                children[parent[atom]].append(atom)
        preorder, first, last = _preorder(roots, children, placed, parent)
        n = len(parent)
        above = np.concatenate((np.asarray(parent, dtype=np.int64), np.zeros(2 * len(roots), dtype=np.int64)))
        above[roots] = n + 2 * np.arange(len(roots))
        above[n::2] = np.arange(n + 1, n + 2 * len(roots), 2)
        above[n + 1 :: 2] = above[n::2]
        nothing = torch.zeros(0, dtype=torch.int64)
        return cls(
            parent=_index(above[:n]),
            grandparent=_index(above[above[:n]]),
            great_grandparent=_index(above[above[above[:n]]]),
            leader=_index([children[up][0] if up >= 0 else atom for atom, up in enumerate(parent)]),
            roots=_index(roots),
            root_frame=_index([_frame(root, children) for root in roots]).reshape(-1, 3),
            tree_of_atom=_index(np.searchsorted([first[root] for root in roots], first, side="right") - 1),
            preorder=_index(preorder),
            first=_index(first),
            last=_index(last),
            phi=nothing,
            psi=nothing,
            omega=nothing,
            chi=nothing.reshape(0, 4),
        )

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.parent)

    @property
    def device(self) -> torch.device:
        """Where the index tensors are."""
        return self.parent.device

    def to(self, device: torch.device | str) -> "Tree":
        """The same tree on another device."""
        if torch.device(device) == self.device:
            return self
        return Tree(*(getattr(self, field.name).to(device) for field in fields(self)))

    @cached_property
    def ancestors(self) -> tuple[Int[Tensor, "atoms"], ...]:
        """Each atom's ancestor 1, 2, 4, 8, … steps up; the number of atoms stands for one above the root."""
        n = self.n_atoms
        step = torch.cat((self.parent.clamp_max(n), self.parent.new_full((1,), n)))
        steps = []
        while (step < n).any():
            steps.append(step[:-1])
            step = step[step]
        return tuple(steps)


def _index(values: ArrayLike) -> Int[Tensor, "*shape"]:
    return torch.from_numpy(np.array(values, dtype=np.int64))


def _parents_first(parent: Sequence[int]) -> list[int]:
    """The atoms, every parent before its children; by index where that is free."""
    children: list[list[int]] = [[] for _ in parent]
    placed = []
    for atom, above in enumerate(parent):
        (children[above] if above >= 0 else placed).append(atom)
    for atom in placed:
        placed.extend(children[atom])
    assert len(placed) == len(parent), "a tree has no cycles"
    return placed


def _preorder(
    roots: list[int], children: list[list[int]], placed: Sequence[int], parent: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """The order in which every subtree is one run, and where each run begins and ends."""
    preorder, stack = [], roots[::-1]
    while stack:
        atom = stack.pop()
        preorder.append(atom)
        stack.extend(reversed(children[atom]))
    size = [1] * len(parent)
    for atom in reversed(placed):
        if parent[atom] >= 0:
            size[parent[atom]] += size[atom]
    first = [0] * len(parent)
    for place, atom in enumerate(preorder):
        first[atom] = place
    return preorder, first, [begin + length for begin, length in zip(first, size, strict=True)]


def _frame(root: int, children: list[list[int]]) -> tuple[int, int, int]:
    """Three atoms that orient a tree; the root again where it has too few."""
    if not children[root]:
        return root, root, root
    neighbour = children[root][0]
    beyond = [*children[neighbour], *children[root][1:], root]
    return beyond[0], root, neighbour
