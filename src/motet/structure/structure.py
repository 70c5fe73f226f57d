"""Atoms and where they are: what every reader returns and every method takes."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import SelectionError, TopologyMismatchError
from ..shapes import Coords
from .selection import evaluate
from .topology import Mask, Topology

BFactorMeaning: TypeAlias = Literal["B", "pLDDT"]
NoteKind: TypeAlias = Literal["repaired", "ignored", "kept", "warning"]


@dataclass(frozen=True)
class Note:
    """What a reader or a later step did to the input, in one sentence for a person.

    Args:
        kind: `repaired` (something was wrong and mended), `ignored` (left out), `kept` (carried along but not seen
            by the physics), or `warning` (used as it is, but look at it).
        text: The sentence.
    """

    kind: NoteKind
    text: str


@dataclass(frozen=True, eq=False)
class Structure:
    """One or more conformations of one topology; every edit returns a new structure.

    Args:
        topology: The atoms.
        coords: `*batch atoms 3`, in Å; models of a file are the batch dimension.
        b_factors: B factor in Å², or pLDDT, of each atom.
        occupancies: Occupancy of each atom, 0 to 1.
        b_factor_meaning: What `b_factors` holds.
        name: Short name for titles and file names, such as `1ubq`.
        notes: What was repaired, ignored or kept on the way.
    """

    topology: Topology
    coords: Coords
    b_factors: Float[Tensor, "atoms"]
    occupancies: Float[Tensor, "atoms"]
    b_factor_meaning: BFactorMeaning = "B"
    name: str = "structure"
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        if self.coords.shape[-2] != self.topology.n_atoms:
            raise TopologyMismatchError(self.topology.n_atoms, self.coords.shape[-2], self.name)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self.topology.n_atoms

    @property
    def n_residues(self) -> int:
        """Number of residues, of every kind."""
        return self.topology.n_residues

    @property
    def n_models(self) -> int:
        """Number of conformations."""
        return int(np.prod(self.coords.shape[:-2], dtype=np.int64))

    def __repr__(self) -> str:
        return f"Structure({self.name!r}, {self.topology!r}, {self.n_models} models)"

    def with_coords(self, coords: Coords) -> "Structure":
        """The same atoms elsewhere; any batch shape."""
        return replace(self, coords=coords)

    def with_notes(self, *notes: Note) -> "Structure":
        """The same structure with these notes added."""
        return replace(self, notes=(*self.notes, *notes))

    def to(self, target: torch.device | str | torch.dtype) -> "Structure":
        """The same structure with coordinates on another device or in another precision."""
        return replace(self, coords=self.coords.to(target))

    def model(self, index: int) -> "Structure":
        """One conformation, `atoms 3`."""
        return replace(self, coords=self.coords.reshape(-1, self.n_atoms, 3)[index])

    def subset(self, keep: Mask) -> "Structure":
        """The atoms where `keep` is true."""
        index = torch.from_numpy(np.flatnonzero(keep)).to(self.coords.device)
        return replace(
            self,
            topology=self.topology.subset(keep),
            coords=self.coords.index_select(-2, index),
            b_factors=self.b_factors[index.cpu()],
            occupancies=self.occupancies[index.cpu()],
        )

    def mask(self, expression: str) -> Mask:
        """Which atoms a selection such as `chain A and 10-50` names; `structure.selection` has the words."""
        return evaluate(expression, self.topology)

    def select(self, expression: str) -> "Structure":
        """The atoms that a selection names.

        Raises:
            SelectionError: The expression does not parse, or selects nothing.
        """
        keep = self.mask(expression)
        if not keep.any():
            raise SelectionError(expression, f"no atom of {self.name} matches")
        return self.subset(keep)

    def chain(self, chain_id: str) -> "Structure":
        """One chain, of every kind of residue."""
        return self.select(f"chain {chain_id}")

    def residues(self, first: int, last: int) -> "Structure":
        """Residues numbered `first` to `last`, both included, in every chain."""
        return self.select(f"{first}-{last}")

    def backbone(self) -> "Structure":
        """N, CA, C and O of the protein residues."""
        return self.select("backbone")

    def protein(self) -> "Structure":
        """Protein residues alone."""
        return self.select("protein")

    # What edits a structure stands in modules of its own, above this one; each method is the short way there.

    def completed(self, hydrogens: bool = False) -> "Structure":
        """The structure with the missing heavy atoms of its protein residues built, and hydrogens placed if asked.

        Works on all models at once; notes say what was built, and what could not be.
        """
        from .completion import with_heavy_atoms
        from .hydrogens import with_hydrogens

        built = with_heavy_atoms(self)
        return with_hydrogens(built) if hydrogens else built

    def without_hydrogens(self) -> "Structure":
        """The heavy atoms alone."""
        return self.subset(~self.topology.is_hydrogen)

    def mutated(self, *mutations: str) -> "Structure":
        """The structure with residues exchanged: `mutated("A:L14A", "A:K7E")`; `L14A` where there is one chain.

        Raises:
            MutationError: A mutation cannot be read, or does not fit the structure.
        """
        from .mutation import mutated

        return mutated(self, *mutations)

    def concatenated(self, *others: "Structure") -> "Structure":
        """This structure and others as one; chains whose name is taken are renamed, with a note.

        Raises:
            ConfigError: The numbers of conformations do not fit.
        """
        from .concatenation import concatenate

        return concatenate(self, *others)
