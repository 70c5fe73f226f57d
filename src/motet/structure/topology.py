"""Which atoms there are and how they are bonded, without where they are."""

import hashlib
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from ..chem import RESIDUES, chis_of, parent_of
from ..errors import SelectionError

Strings: TypeAlias = Shaped[np.ndarray, "..."]
Integers: TypeAlias = Int64[np.ndarray, "..."]
Mask: TypeAlias = Bool[np.ndarray, "..."]


@dataclass(frozen=True, eq=False)
class Topology:
    """Atoms, residues, chains, bonds and numbering of one system; read-only, compared and hashed by content.

    Atoms of a residue, and residues of a chain, stand together and in order.

    Args:
        atom_names: IUPAC (PDB version 3) name of each atom.
        elements: Element symbol of each atom, as in `chem.ELEMENTS`.
        formal_charges: Formal charge of each atom in the file, in e.
        residue_of_atom: Residue index of each atom.
        residue_names: Name of each residue as in the file, upper case.
        residue_numbers: Author's number of each residue, as in the file.
        insertion_codes: Insertion code of each residue, or "".
        residue_kinds: `protein`, `nucleic`, `water`, `ion` or `ligand`, of each residue.
        chain_of_residue: Chain index of each residue.
        chain_ids: Name of each chain, as in the file; unique.
        bonds: Bonded atom pairs, `bonds 2`, smaller index first, sorted.
    """

    atom_names: Strings
    elements: Strings
    formal_charges: Integers
    residue_of_atom: Integers
    residue_names: Strings
    residue_numbers: Integers
    insertion_codes: Strings
    residue_kinds: Strings
    chain_of_residue: Integers
    chain_ids: Strings
    bonds: Integers

    def __post_init__(self) -> None:
        for field in fields(self):
            values = np.ascontiguousarray(getattr(self, field.name))
            values.flags.writeable = False
            object.__setattr__(self, field.name, values)
        assert len(self.atom_names) == len(self.elements) == len(self.residue_of_atom)
        assert len(self.residue_names) == len(self.residue_numbers) == len(self.chain_of_residue)
        assert (np.diff(self.residue_of_atom) >= 0).all(), "atoms of a residue must stand together"
        assert (np.diff(self.chain_of_residue) >= 0).all(), "residues of a chain must stand together"

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.atom_names)

    @property
    def n_residues(self) -> int:
        """Number of residues, of every kind."""
        return len(self.residue_names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the whole content, in hexadecimal."""
        sha = hashlib.sha256()
        for field in fields(self):
            values = getattr(self, field.name)
            text = "\x1f".join(values.tolist()).encode() if values.dtype.kind == "U" else values.tobytes()
            sha.update(f"{field.name}:{len(values)}:".encode() + text)
        return sha.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Topology) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Topology({len(self.chain_ids)} chains, {self.n_residues} residues, {self.n_atoms} atoms)"

    @cached_property
    def chain_of_atom(self) -> Integers:
        """Chain index of each atom."""
        return self.chain_of_residue[self.residue_of_atom]

    @cached_property
    def first_atoms(self) -> Integers:
        """Index of each residue's first atom, and one past the last atom at the end: `residues + 1`."""
        return np.searchsorted(self.residue_of_atom, np.arange(self.n_residues + 1))

    @cached_property
    def is_protein(self) -> Mask:
        """Whether each atom belongs to a protein residue."""
        return self.residue_kinds[self.residue_of_atom] == "protein"

    @cached_property
    def is_hydrogen(self) -> Mask:
        """Whether each atom is a hydrogen (or deuterium)."""
        return self.elements == "H"

    def atom_index(self, name: str) -> Integers:
        """Index of the atom called `name` in each residue, -1 where the residue has none: `residues`."""
        found = np.full(self.n_residues, -1, dtype=np.int64)
        hits = np.flatnonzero(self.atom_names == name)
        found[self.residue_of_atom[hits]] = hits
        return found

    @cached_property
    def backbone(self) -> Integers:
        """Indices of N, CA, C and O of each protein residue, -1 where it has none: `residues 4`."""
        index = np.stack([self.atom_index(name) for name in ("N", "CA", "C", "O")], axis=1)
        index[self.residue_kinds != "protein"] = -1
        return index

    @cached_property
    def chi_atoms(self) -> Integers:
        """Atoms of each residue's side-chain torsions, `residues 4 4` (chi, atom); -1 where there is none.

        A modified residue has its parent's, as far as it has their atoms.
        """
        index = np.full((self.n_residues, 4, 4), -1, dtype=np.int64)
        of_name: dict[str, Integers] = {}
        for residue in np.unique(self.residue_names[self.residue_kinds == "protein"]).tolist():
            rows = np.flatnonzero((self.residue_names == residue) & (self.residue_kinds == "protein"))
            for chi in chis_of(residue):
                for atom in chi.atoms:
                    of_name[atom] = of_name[atom] if atom in of_name else self.atom_index(atom)
                atoms = np.stack([of_name[atom][rows] for atom in chi.atoms], axis=1)
                atoms[(atoms < 0).any(-1)] = -1
                index[rows, chi.number - 1] = atoms
        return index

    @cached_property
    def follows(self) -> Mask:
        """Whether each residue's N is bonded to the C of the residue before it: `residues`."""
        follows = np.zeros(self.n_residues, dtype=bool)
        if self.n_residues > 1 and len(self.bonds):
            carbon, nitrogen = self.atom_index("C")[:-1], self.atom_index("N")[1:]
            link = np.minimum(carbon, nitrogen) * self.n_atoms + np.maximum(carbon, nitrogen)
            bonded = np.isin(link, self.bonds[:, 0] * self.n_atoms + self.bonds[:, 1])
            follows[1:] = bonded & (carbon >= 0) & (nitrogen >= 0)
        return follows

    @cached_property
    def peptide_bonds(self) -> Integers:
        """Cα, C and O of a residue, N and Cα of the one bonded to it: `bonds 5`; -1 where there is none."""
        after = np.flatnonzero(self.follows)
        return np.concatenate((self.backbone[after - 1, 1:], self.backbone[after, :2]), axis=1)

    def sequence(self, chain_id: str) -> str:
        """One letter for each protein residue of a chain; a modified one has its parent's, an unknown one X.

        Raises:
            SelectionError: There is no such chain.
        """
        chains = np.flatnonzero(self.chain_ids == chain_id)
        if not len(chains):
            raise SelectionError(f"chain {chain_id}", f"there are only {', '.join(self.chain_ids.tolist())}")
        chosen = (self.chain_of_residue == chains[0]) & (self.residue_kinds == "protein")
        parents = (parent_of(name) for name in self.residue_names[chosen].tolist())
        return "".join(RESIDUES[parent].letter if parent else "X" for parent in parents)

    def residue_label(self, residue: int) -> str:
        """How a person names this residue: `A:LEU14`, with the insertion code where there is one."""
        chain = self.chain_ids[self.chain_of_residue[residue]]
        number = f"{self.residue_numbers[residue]}{self.insertion_codes[residue]}"
        return f"{chain}:{self.residue_names[residue]}{number}"

    def atom_label(self, atom: int) -> str:
        """How a person names this atom: `A:LEU14/CD1`."""
        return f"{self.residue_label(int(self.residue_of_atom[atom]))}/{self.atom_names[atom]}"

    def subset(self, keep: Mask) -> "Topology":
        """The atoms where `keep` is true; residues and chains left empty go, bonds between kept atoms stay."""
        keep = np.asarray(keep, dtype=bool)
        residues = np.zeros(self.n_residues, dtype=bool)
        residues[self.residue_of_atom[keep]] = True
        chains = np.zeros(len(self.chain_ids), dtype=bool)
        chains[self.chain_of_residue[residues]] = True
        new_atom = np.cumsum(keep) - 1
        both = keep[self.bonds].all(-1) if len(self.bonds) else np.zeros(0, dtype=bool)
        return replace(
            self,
            atom_names=self.atom_names[keep],
            elements=self.elements[keep],
            formal_charges=self.formal_charges[keep],
            residue_of_atom=(np.cumsum(residues) - 1)[self.residue_of_atom[keep]],
            residue_names=self.residue_names[residues],
            residue_numbers=self.residue_numbers[residues],
            insertion_codes=self.insertion_codes[residues],
            residue_kinds=self.residue_kinds[residues],
            chain_of_residue=(np.cumsum(chains) - 1)[self.chain_of_residue[residues]],
            chain_ids=self.chain_ids[chains],
            bonds=new_atom[self.bonds[both]].reshape(-1, 2),
        )
