"""Candidates for the torsions that a recipe leaves open, and how badly each clashes with what stands around."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..chem import ELEMENTS, ROTAMERS, parent_of
from .nearest import nearest_atoms
from .placement import torsion_of
from .recipes import Recipe
from .topology import Integers, Mask, Topology

GRID = 12  # values of an open torsion that is no chi
FINE_GRID = 72  # and of one that must close a bond
MOST_CANDIDATES = 108
NEAREST = 160  # atoms looked at around a residue
CONTACT = 0.88  # share of the sum of van der Waals radii at which a contact begins to count
CLASH_COST = 10.0  # per Å² of overlap, against -0.3 ln(frequency)
FREQUENCY_COST = 0.3
MISMATCH_COST = 5.0  # per 1 - cos of what a chi that is there departs from the rotamer's
SULPHUR_CONTACT = 1.9  # Å: two sulphurs may be a disulfide


@dataclass(frozen=True)
class Candidates:
    """Open torsions of each candidate, counted from the recipe's, in rad, and what each costs from the start."""

    turns: Float[Tensor, "candidates turns"]
    costs: Float[Tensor, "candidates"]
    chis: Float[Tensor, "candidates 4"]

    def mismatch(
        self, coords: Float[Tensor, "models atoms 3"], fixed: Mapping[int, Integers]
    ) -> Float[Tensor, "models residues candidates"] | float:
        """Cost of rotamers that do not fit the chis that are there."""
        cost = 0.0
        for number, atoms in fixed.items():
            a, b, c, d = (coords[:, index] for index in torch.from_numpy(atoms).unbind(-1))
            measured = torsion_of(a, b, c, d)[:, :, None]
            cost = cost + MISMATCH_COST * (1 - torch.cos(measured - self.chis[:, number - 1]))
        return cost


def candidates(residue: str, steps: Recipe, like: Tensor) -> Candidates:
    """Rotamers of the residue (or of its parent) times a grid over every other open torsion."""
    turns, costs, chis = (like.new_tensor(values) for values in _candidates(residue, steps))
    return Candidates(turns, costs, chis)


@lru_cache(maxsize=1024)
def _candidates(residue: str, steps: Recipe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rotamers = ROTAMERS.get(parent_of(residue) or "", ())
    chis = np.zeros((max(1, len(rotamers)), 4))
    costs = np.zeros(len(chis))
    for row, rotamer in enumerate(rotamers):
        chis[row, : len(rotamer.chis)] = rotamer.chis
        costs[row] = -FREQUENCY_COST * math.log(rotamer.frequency)
    if not any(turn.chi for turn in steps.turns):
        chis, costs = chis[:1], costs[:1] * 0
    free = [turn for turn in steps.turns if not turn.chi]
    values = _grid([FINE_GRID if turn.closing else GRID for turn in free], MOST_CANDIDATES // len(chis))
    rows, columns = np.divmod(np.arange(len(chis) * len(values)), len(values))
    turns = np.zeros((len(rows), len(steps.turns)))
    for number, turn in enumerate(steps.turns):
        if turn.chi:
            turns[:, number] = chis[rows, turn.chi - 1] - turn.ideal
        else:
            turns[:, number] = values[columns, free.index(turn)]
    return turns, costs[rows], chis[rows]


def _grid(finest: list[int], most: int) -> np.ndarray:
    """Turns of some axes: the finest even grid within `most` rows, the last axes still where they do not fit."""
    points = [1] * len(finest)
    for axis, wanted in enumerate(finest):
        room = most // math.prod(points)
        points[axis] = max((n for n in (1, 3, 6, GRID, 24, 36, FINE_GRID) if n <= min(room, wanted)), default=1)
    ranges = [np.arange(n) * (2 * math.pi / n) for n in points]
    return np.array(list(itertools.product(*ranges))).reshape(math.prod(points), len(finest))


class Surroundings:
    """Heavy atoms of the topology and how near they let another come."""

    def __init__(self, topology: Topology) -> None:
        symbols, of_atom = np.unique(topology.elements, return_inverse=True)
        known = [ELEMENTS.get(str(symbol)) for symbol in symbols]
        radii = np.array([element.van_der_waals_radius if element else 1.7 for element in known])
        self.radii = torch.from_numpy(radii[of_atom])
        self.sulphur = torch.from_numpy(topology.elements == "S")
        self.heavy = ~topology.is_hydrogen
        self.residue = torch.from_numpy(topology.residue_of_atom.copy())

    def work(self, n_candidates: int, n_new: int) -> int:
        """Distances per residue and model."""
        return n_candidates * n_new * min(NEAREST, len(self.residue))

    def clashes(
        self,
        coords: Float[Tensor, "models atoms 3"],
        known: Mask,
        built: Float[Tensor, "models residues candidates new 3"],
        index: Int[Tensor, "residues new"],
    ) -> Float[Tensor, "models residues candidates"]:
        """Overlap of each candidate with the known heavy atoms of other residues, as a cost."""
        others = torch.from_numpy(np.flatnonzero(known & self.heavy)).to(coords.device)
        residue = self.residue.to(coords.device)
        own = residue[index[:, :1]]  # residues 1
        centre = built.mean((2, 3))
        _, nearest = nearest_atoms(coords[:, others], centre, NEAREST)
        near = others[nearest]  # models residues nearest
        places = torch.take_along_dim(coords, near.reshape(len(coords), -1, 1), dim=1)
        places = places.reshape(*near.shape, 3)[:, :, None]  # models residues 1 nearest 3
        places = places.expand(-1, -1, built.shape[2], -1, -1)
        length = torch.cdist(built, places, compute_mode="donot_use_mm_for_euclid_dist")
        overlap = (self._contact(index, near, coords) - length).clamp(min=0).square()
        overlap = overlap.masked_fill((residue[near] == own)[:, :, None, None], 0.0)
        return CLASH_COST * overlap.sum((-1, -2))

    def _contact(
        self, index: Int[Tensor, "residues new"], near: Int[Tensor, "models residues nearest"], like: Tensor
    ) -> Float[Tensor, "models residues 1 new nearest"]:
        radii, sulphur = self.radii.to(like), self.sulphur.to(like.device)
        contact = CONTACT * (radii[index][None, :, :, None] + radii[near][:, :, None])
        both = sulphur[index][None, :, :, None] & sulphur[near][:, :, None]
        return torch.where(both, SULPHUR_CONTACT, contact)[:, :, None]
