"""Every residue in turn at one place, or at all of them."""

import re
from collections.abc import Iterator

import numpy as np

from ...chem import RESIDUES, parent_of
from ...errors import MutationError
from ...structure import Structure
from .preferences import LETTERS

_PLACE = re.compile(r"^(?:(?P<chain>[^:]+):)?(?P<number>-?\d+)(?P<code>[A-Za-z]?)$")


def saturation(structure: Structure, where: str) -> list[tuple[str]]:
    """The nineteen mutations of one place, such as `A:14`, or of every residue for `all`.

    Raises:
        MutationError: There is no such place.
    """
    residues = _all(structure) if where == "all" else [_one(structure, where)]
    return [(text,) for residue in residues for text in _nineteen(structure, residue)]


def _all(structure: Structure) -> Iterator[int]:
    topology = structure.topology
    for residue in np.flatnonzero(topology.residue_kinds == "protein").tolist():
        if _letter(structure, residue) and (topology.backbone[residue, :3] >= 0).all():
            yield residue


def _one(structure: Structure, where: str) -> int:
    match, topology = _PLACE.match(where.strip()), structure.topology
    if not match:
        raise MutationError(where, "names no place to scan; write A:14, or all")
    here = (topology.residue_kinds == "protein") & (topology.residue_numbers == int(match["number"]))
    here &= np.char.upper(topology.insertion_codes) == match["code"].upper()
    if match["chain"]:
        here &= topology.chain_ids[topology.chain_of_residue] == match["chain"]
    rows = np.flatnonzero(here)
    if len(rows) != 1 or not _letter(structure, int(rows[0])):
        count = "no residue" if not len(rows) else "a residue that is none of the twenty"
        raise MutationError(
            where, f"there {'are several residues' if len(rows) > 1 else f'is {count}'} here to scan"
        )
    return int(rows[0])


def _nineteen(structure: Structure, residue: int) -> Iterator[str]:
    topology, old = structure.topology, _letter(structure, residue)
    chain = topology.chain_ids[topology.chain_of_residue[residue]]
    place = f"{topology.residue_numbers[residue]}{topology.insertion_codes[residue]}"
    yield from (f"{chain}:{old}{place}{new}" for new in LETTERS if new != old)


def _letter(structure: Structure, residue: int) -> str:
    parent = parent_of(str(structure.topology.residue_names[residue]))
    return RESIDUES[parent].letter if parent else ""
