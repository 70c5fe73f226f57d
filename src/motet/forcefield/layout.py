"""One or several proteins laid end to end: the atoms that the physics sees, and how they are bonded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from ..chem import RESIDUES, canonical_name, parent_of
from ..structure import Structure, Topology
from ..structure.topology import Integers, Mask, Strings


@dataclass(frozen=True, eq=False)
class Layout:
    """Seen atoms of all proteins, numbered without gaps; residues keep the numbering of the whole.

    Seen are heavy atoms of everything but water: protein atoms as such, the others as obstacles.

    Args:
        n_atoms: Number of all atoms, seen or not.
        n_residues: Number of all residues.
        n_proteins: Number of proteins laid end to end.
        seen: Index among all atoms of each seen atom.
        names: Name of each seen atom.
        elements: Element of each seen atom.
        residue_of_atom: Residue of each seen atom.
        residue_names: Canonical name of each residue.
        parents: Standard residue that each residue is or modifies; "" where there is none.
        kinds: Kind of each residue, as in `Topology`.
        follows: Whether each residue's N is bonded to the C of the residue before it.
        chain_of_residue: Chain of each residue; no two proteins share one.
        protein_of_residue: Protein of each residue.
        bonds: Bonded pairs of seen atoms.
        start: First conformation of the seen atoms, in Å: it tells which of two equal groups has which name.
    """

    n_atoms: int
    n_residues: int
    n_proteins: int
    seen: Integers
    names: Strings
    elements: Strings
    residue_of_atom: Integers
    residue_names: Strings
    parents: Strings
    kinds: Strings
    follows: Mask
    chain_of_residue: Integers
    protein_of_residue: Integers
    bonds: Integers
    start: Float64[np.ndarray, "seen 3"]

    @property
    def n_seen(self) -> int:
        """Number of seen atoms."""
        return len(self.seen)

    @cached_property
    def protein_of_atom(self) -> Integers:
        """Protein of each seen atom."""
        return self.protein_of_residue[self.residue_of_atom]

    @cached_property
    def is_protein(self) -> Mask:
        """Whether each seen atom belongs to a protein residue."""
        return self.kinds[self.residue_of_atom] == "protein"

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """Seen atoms bonded to each seen atom."""
        found: list[list[int]] = [[] for _ in range(self.n_seen)]
        for i, j in self.bonds.tolist():
            found[i].append(j)
            found[j].append(i)
        return tuple(tuple(one) for one in found)

    @cached_property
    def atoms_of_residue(self) -> tuple[Mapping[str, int], ...]:
        """Seen atoms of each residue by name."""
        found: list[dict[str, int]] = [{} for _ in range(self.n_residues)]
        for atom, (name, residue) in enumerate(
            zip(self.names.tolist(), self.residue_of_atom.tolist(), strict=True)
        ):
            found[residue].setdefault(name, atom)
        return tuple(found)

    @cached_property
    def protein_residues(self) -> Integers:
        """Residues of kind protein."""
        return np.flatnonzero(self.kinds == "protein")

    @cached_property
    def first_of_chain(self) -> Mask:
        """Whether each residue is the first protein residue of its chain."""
        return self._end_of_chain(self.protein_residues)

    @cached_property
    def last_of_chain(self) -> Mask:
        """Whether each residue is the last protein residue of its chain."""
        return self._end_of_chain(self.protein_residues[::-1])

    def _end_of_chain(self, residues: Integers) -> Mask:
        ends = np.zeros(self.n_residues, dtype=bool)
        ends[residues[np.unique(self.chain_of_residue[residues], return_index=True)[1]]] = True
        return ends

    @cached_property
    def kind_of_atom(self) -> Integers:
        """A number for each combination of residue, atom and element names, and of protein or not."""
        names, elements = (np.unique(one, return_inverse=True)[1] for one in (self.names, self.elements))
        residues = np.unique(self.residue_names, return_inverse=True)[1][self.residue_of_atom]
        kind = self.is_protein.astype(np.int64)
        for number in (names, elements, residues):
            kind = np.unique(kind * (int(number.max(initial=0)) + 1) + number, return_inverse=True)[1]
        return kind

    def keyed(self, table: Mapping[tuple[str, str], str], default: str) -> list[str]:
        """The table's entry for each seen atom: of its residue, else of the parent, else of any residue (`*`)."""
        _, first = np.unique(self.kind_of_atom, return_index=True)
        entries = [self._entry(atom, table, default) for atom in first.tolist()]
        return [entries[kind] for kind in self.kind_of_atom.tolist()]

    def _entry(self, atom: int, table: Mapping[tuple[str, str], str], default: str) -> str:
        name, residue = str(self.names[atom]), int(self.residue_of_atom[atom])
        if self.kinds[residue] != "protein":
            return default
        owners = (str(self.residue_names[residue]), str(self.parents[residue]), "*")
        return next((table[owner, name] for owner in owners if (owner, name) in table), default)


def lay_out(structures: Sequence[Structure]) -> Layout:
    """The structures end to end."""
    topologies = [structure.topology for structure in structures]
    atoms = _offsets([one.n_atoms for one in topologies])
    residues = _offsets([one.n_residues for one in topologies])
    chains = _offsets([len(one.chain_ids) for one in topologies])
    visible = np.concatenate([_visible(one) for one in topologies])
    compact = np.cumsum(visible) - 1
    bonds = np.concatenate([one.bonds + start for one, start in zip(topologies, atoms, strict=False)])
    names = [canonical_name(str(name)) for one in topologies for name in one.residue_names]
    return Layout(
        n_atoms=int(atoms[-1]),
        n_residues=int(residues[-1]),
        n_proteins=len(topologies),
        seen=np.flatnonzero(visible),
        names=np.concatenate([one.atom_names for one in topologies])[visible],
        elements=np.concatenate([one.elements for one in topologies])[visible],
        residue_of_atom=np.concatenate(
            [one.residue_of_atom + start for one, start in zip(topologies, residues, strict=False)]
        )[visible],
        residue_names=np.array(names, dtype=str),
        parents=np.array([_parent(name) for name in names], dtype=str),
        kinds=np.concatenate([one.residue_kinds for one in topologies]),
        follows=np.concatenate([one.follows for one in topologies]),
        chain_of_residue=np.concatenate(
            [one.chain_of_residue + start for one, start in zip(topologies, chains, strict=False)]
        ),
        protein_of_residue=np.repeat(np.arange(len(topologies)), [one.n_residues for one in topologies]),
        bonds=compact[bonds[visible[bonds].all(-1)]].reshape(-1, 2),
        start=np.concatenate([_first_model(one) for one in structures])[visible],
    )


def _offsets(lengths: list[int]) -> Integers:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def _first_model(structure: Structure) -> Float64[np.ndarray, "atoms 3"]:
    if not structure.coords.numel():
        return np.full((structure.n_atoms, 3), np.nan)
    return structure.model(0).coords.detach().cpu().double().numpy()


def _visible(topology: Topology) -> Mask:
    water = (topology.residue_kinds == "water")[topology.residue_of_atom]
    return ~topology.is_hydrogen & ~water


def _parent(name: str) -> str:
    return (parent_of(name) or "") if name in RESIDUES else ""
