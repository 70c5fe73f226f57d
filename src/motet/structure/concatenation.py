"""Several structures as one."""

import string
from collections.abc import Iterator

import numpy as np
import torch

from ..errors import ConfigError
from .structure import Note, Structure
from .topology import Topology

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


def concatenate(*structures: Structure) -> Structure:
    """All atoms of all structures, in order; a chain whose name is taken gets the next free one, and a note.

    A structure of one conformation joins every conformation of the others. Name, precision and device are the
    first's.

    Raises:
        ConfigError: There is no structure, or their numbers of conformations do not fit.
    """
    if not structures:
        raise ConfigError("concatenate needs one structure at least; none was given.")
    first = structures[0]
    batches = [tuple(one.coords.shape[:-2]) for one in structures]
    try:
        batch = torch.broadcast_shapes(*batches)
    except RuntimeError as error:
        sizes = ", ".join(f"{one.name} {shape}" for one, shape in zip(structures, batches, strict=True))
        raise ConfigError(f"conformations do not fit together: {sizes}; choose one with `model(0)`.") from error
    ids, notes = _chain_ids(structures)
    coords = [one.coords.to(first.coords).expand(*batch, one.n_atoms, 3) for one in structures]
    if len({one.b_factor_meaning for one in structures}) > 1:
        notes.append(Note("warning", "B factors and pLDDT values stand in one column after joining structures"))
    return Structure(
        topology=_joined([one.topology for one in structures], ids),
        coords=torch.cat(coords, dim=-2),
        b_factors=torch.cat([one.b_factors.to(first.b_factors) for one in structures]),
        occupancies=torch.cat([one.occupancies.to(first.occupancies) for one in structures]),
        b_factor_meaning=first.b_factor_meaning,
        name=first.name,
        notes=(*(note for one in structures for note in one.notes), *notes),
    )


def _joined(topologies: list[Topology], chain_ids: list[str]) -> Topology:
    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(one, name) for one in topologies])

    def shifted(name: str, sizes: list[int]) -> np.ndarray:
        starts = np.cumsum([0, *sizes[:-1]])
        return np.concatenate([getattr(one, name) + start for one, start in zip(topologies, starts, strict=True)])

    return Topology(
        atom_names=column("atom_names"),
        elements=column("elements"),
        formal_charges=column("formal_charges"),
        residue_of_atom=shifted("residue_of_atom", [one.n_residues for one in topologies]),
        residue_names=column("residue_names"),
        residue_numbers=column("residue_numbers"),
        insertion_codes=column("insertion_codes"),
        residue_kinds=column("residue_kinds"),
        chain_of_residue=shifted("chain_of_residue", [len(one.chain_ids) for one in topologies]),
        chain_ids=np.array(chain_ids),
        bonds=shifted("bonds", [one.n_atoms for one in topologies]),
    )


def _chain_ids(structures: tuple[Structure, ...]) -> tuple[list[str], list[Note]]:
    """Unique chain names, and a note for each that changed."""
    reserved = {str(name) for one in structures for name in one.topology.chain_ids}
    taken: set[str] = set()
    ids, notes = [], []
    for one in structures:
        for name in one.topology.chain_ids.tolist():
            new = (
                name if name not in taken else next(free for free in _free_names() if free not in reserved | taken)
            )
            if new != name:
                notes.append(
                    Note("repaired", f"chain {name} of {one.name} is now chain {new}: the name was taken")
                )
            taken.add(new)
            ids.append(new)
    return ids, notes


def _free_names() -> Iterator[str]:
    """A to Z, a to z, 0 to 9, then the same in pairs, in threes, and on."""
    names = [""]
    while True:
        names = [before + letter for before in names for letter in _LETTERS]
        yield from names
