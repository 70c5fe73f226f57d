"""Structures of homologues laid on the query: by sequence, residue on residue."""

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray

from ..chem import RESIDUES, STANDARD
from ..errors import ConfigError
from ..structure import Structure
from .features import Templates
from .residues import ATOM_NUMBERS, ATOMS, GAP, LETTERS, UNKNOWN

_SAME, _OTHER, _GAP = 2, -1, -1
_FEWEST = 0.1  # share of the query that a template must cover with equal residues
MOST = 4  # templates that the network was trained to read


def templates_of(structures: list[Structure], query: str) -> Templates:
    """Templates for the network; of each structure the chain that fits best, aligned by sequence.

    Raises:
        ConfigError: There are too many, or one has next to nothing in common with the query.
    """
    if not 1 <= len(structures) <= MOST:
        raise ConfigError(f"{len(structures)} templates are given; the network reads 1 to {MOST}.")
    laid = [_laid(structure, query) for structure in structures]
    return Templates(
        residue_types=torch.stack([types for types, _, _ in laid]),
        positions=torch.stack([positions for _, positions, _ in laid]),
        atom_presence=torch.stack([there for _, _, there in laid]),
        presence=torch.ones(len(laid)),
    )


def _laid(structure: Structure, query: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    topology = structure.topology
    best, pairs, same = None, np.zeros((0, 2), np.int64), -1
    for chain in range(len(topology.chain_ids)):
        residues = np.flatnonzero((topology.chain_of_residue == chain) & (topology.residue_kinds == "protein"))
        letters = [_letter(topology.residue_names[i]) for i in residues]
        found = aligned(query, "".join(letters)) if letters else np.zeros((0, 2), np.int64)
        equal = sum(query[i] == letters[j] for i, j in found)
        if equal > same:
            best, pairs, same = residues, found, equal
    if best is None or same < _FEWEST * len(query):
        raise ConfigError(
            f"template {structure.name}: {max(same, 0)} of {len(query)} residues of the query are equal in its "
            "best chain, too few to align them by sequence; leave it out."
        )
    types = torch.full((len(query),), GAP)
    positions, there = torch.zeros(len(query), ATOMS, 3), torch.zeros(len(query), ATOMS)
    coords = structure.model(0).coords.float()
    place = {int(best[j]): int(i) for i, j in pairs}
    for residue, spot in place.items():
        types[spot] = LETTERS.index(_letter(topology.residue_names[residue]))
    for atom, residue in enumerate(topology.residue_of_atom.tolist()):
        number = ATOM_NUMBERS.get(str(topology.atom_names[atom]))
        if residue in place and number is not None:
            positions[place[residue], number], there[place[residue], number] = coords[atom], 1
    return types, positions, there


def _letter(name: str) -> str:
    known = RESIDUES.get(str(name))
    letter = known.letter if known is not None and name in STANDARD else None
    return letter or LETTERS[UNKNOWN]


def aligned(one: str, two: str) -> Int[np.ndarray, "pairs 2"]:
    """Places of two sequences that lie on each other: Needleman and Wunsch (1970), ends free.

    Equal letters earn 2, unlike ones and every gap inside cost 1.
    """
    a, b = (np.frombuffer(text.encode("ascii"), np.uint8) for text in (one, two))
    match = np.where(a[:, None] == b[None], _SAME, _OTHER)
    score = np.zeros((len(a) + 1, len(b) + 1), np.int64)
    places = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        row = np.zeros(len(b) + 1, np.int64)
        row[1:] = np.maximum(score[i - 1, :-1] + match[i - 1], score[i - 1, 1:] + _GAP)
        score[i] = np.maximum.accumulate(row - _GAP * places) + _GAP * places
    return _traced(score, match)


def _traced(score: NDArray, match: NDArray) -> Int[np.ndarray, "pairs 2"]:
    i, j = score.shape[0] - 1, score.shape[1] - 1
    if score[:, -1].max() >= score[-1].max():
        i = int(score[:, -1].argmax())
    else:
        j = int(score[-1].argmax())
    pairs = []
    while i > 0 and j > 0:
        if score[i, j] == score[i - 1, j - 1] + match[i - 1, j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif score[i, j] == score[i - 1, j] + _GAP:
            i -= 1
        else:
            j -= 1
    return np.array(pairs[::-1], dtype=np.int64).reshape(-1, 2)
