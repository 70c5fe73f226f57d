"""The one list of atom pairs that all pair terms share, with a Verlet skin."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, triu
from torch import Tensor

from ..geometry import neighbour_pairs
from .contact_pairs import CUTOFF
from .contacts import ContactParameters
from .layout import Layout
from .separation import Pairs

SKIN = 1.0  # Å: the list reaches this much further, and holds until an atom has moved half of it


@dataclass(frozen=True, eq=False)
class Exclusions:
    """Pairs of seen atoms that bonds already hold, as `i * atoms + j` with i < j, sorted.

    Args:
        bonded: One or two bonds apart.
        near: Three bonds apart.
        atoms: Number of seen atoms.
    """

    bonded: Int[Tensor, "bonded"]
    near: Int[Tensor, "near"]
    atoms: int

    def to(self, device: torch.device) -> "Exclusions":
        """The same on another device."""
        return Exclusions(self.bonded.to(device), self.near.to(device), self.atoms)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs within reach and skin, conformation after conformation, atoms numbered through.

    Args:
        pairs: The pairs; atoms count as `conformation * atoms + atom`.
        code: Place of the pair in the contact table.
        near: Whether the two are three bonds apart.
        protein: `conformation * proteins + protein` of each pair.
        built_at: Coordinates that the list was built for.
        selected: What each term picked from the list, by name of the term.
        count: How many of the pairs count, where more are there to fill the list; None where all do.
        reach: Pairs nearer than this, in Å, are all there.
    """

    pairs: Pairs
    code: Int[Tensor, "pairs"]
    near: Tensor
    protein: Int[Tensor, "pairs"]
    built_at: Float[Tensor, "conformations atoms 3"]
    selected: dict[str, tuple[Any, ...]]
    count: Int[Tensor, ""] | None = None
    reach: float = CUTOFF

    @property
    def i(self) -> Int[Tensor, "pairs"]:
        """First atom of each pair."""
        return self.pairs.i

    @property
    def j(self) -> Int[Tensor, "pairs"]:
        """Second atom of each pair."""
        return self.pairs.j

    def holds(self, coords: Float[Tensor, "conformations atoms 3"]) -> bool:
        """Whether the list still contains every pair within reach."""
        old = self.built_at
        if old.shape != coords.shape or old.device != coords.device or old.dtype != coords.dtype:
            return False
        moved = (coords.detach() - old).square().sum(-1)
        return not moved.numel() or bool(moved.max() < (0.5 * SKIN) ** 2)


def exclusions_of(layout: Layout) -> Exclusions:
    """Pairs one, two and three bonds apart."""
    atoms, (i, j) = layout.n_seen, layout.bonds.T
    ones = np.ones(2 * len(i), dtype=np.int64)
    bonded = csr_array((ones, (np.concatenate((i, j)), np.concatenate((j, i)))), shape=(atoms, atoms))
    twice = bonded @ bonded
    within_two, three = _keys(bonded + twice, atoms), _keys(twice @ bonded, atoms)
    near = np.setdiff1d(three, within_two, assume_unique=True)
    return Exclusions(torch.from_numpy(within_two), torch.from_numpy(near), atoms)


def _keys(adjacent: csr_array, atoms: int) -> NDArray[np.int64]:
    """`i * atoms + j` of the entries with i < j, sorted."""
    upper = coo_array(triu(adjacent, k=1))
    return np.sort(upper.row.astype(np.int64) * atoms + upper.col)


def find_neighbours(
    coords: Float[Tensor, "conformations atoms 3"],
    exclusions: Exclusions,
    types: Int[Tensor, "atoms"],
    protein_of_atom: Int[Tensor, "atoms"],
    n_proteins: int,
    contacts: ContactParameters,
    reach: float = CUTOFF,
) -> Neighbours:
    """All pairs of one protein and one conformation within reach, but those one or two bonds apart."""
    conformations, atoms, _ = coords.shape
    start = torch.arange(conformations, device=coords.device)[:, None]
    group = (start * n_proteins + protein_of_atom).flatten()
    i, j = neighbour_pairs(coords.detach().reshape(-1, 3), reach + SKIN, group)
    keys = i * (conformations * atoms) + j
    bonded, near = (_places(one, keys, conformations, atoms) for one in (exclusions.bonded, exclusions.near))
    keep = torch.ones_like(keys, dtype=torch.bool).index_fill_(0, bonded, False).nonzero().squeeze(-1)
    near = torch.zeros_like(keys, dtype=torch.bool).index_fill_(0, near, True)
    i, j, near = (one.index_select(0, keep) for one in (i, j, near))
    every = types.repeat(conformations)
    code = contacts.code(every.index_select(0, i), every.index_select(0, j), near)
    pairs = Pairs.of(i, j, conformations * atoms, coords.dtype)
    return Neighbours(pairs, code, near, group.index_select(0, i), coords.detach().clone(), {}, None, reach)


def _places(
    pairs: Int[Tensor, "some"], keys: Int[Tensor, "keys"], conformations: int, atoms: int
) -> Int[Tensor, "places"]:
    """Where some pairs, `i * atoms + j`, of every conformation stand among sorted keys, `i * all_atoms + j`."""
    if not len(keys):
        return keys
    total = conformations * atoms
    shift = torch.arange(conformations, device=keys.device)[:, None] * (atoms * (total + 1))
    wanted = (pairs // atoms * total + pairs % atoms + shift).flatten()
    place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
    return place[keys[place] == wanted]


def contains(sorted_keys: Int[Tensor, "keys"], wanted: Int[Tensor, "pairs"]) -> Bool[Tensor, "pairs"]:
    """Whether each wanted key is among the sorted ones."""
    if not len(sorted_keys):
        return torch.zeros_like(wanted, dtype=torch.bool)
    place = torch.searchsorted(sorted_keys, wanted).clamp_max(len(sorted_keys) - 1)
    return sorted_keys[place] == wanted
