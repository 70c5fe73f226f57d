"""Point mutations: the residue keeps what old and new have in common, and the rest is built."""

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from ..chem import RESIDUES, STANDARD, canonical_name, parent_of
from ..errors import MutationError
from .completion import with_heavy_atoms
from .hydrogens import with_hydrogens
from .ideals import ideal_angle, ideal_length, ideal_torsion, is_planar
from .structure import Structure
from .topology import Mask, Topology

_MUTATION = re.compile(
    r"^(?:(?P<chain>[^:]+):)?(?P<old>[A-Za-z])(?P<number>-?\d+)(?P<code>[A-Za-z]?)(?P<new>[A-Za-z])$"
)
_NAME_OF_LETTER = {RESIDUES[name].letter: name for name in STANDARD}
_SAME_ANGLE = 0.09  # rad, 5 degrees
_SAME_LENGTH = 0.1  # Å
_BACKBONE = ("N", "CA", "C", "O", "OXT")


@dataclass(frozen=True)
class Mutation:
    """One residue and its new name."""

    text: str
    residue: int
    new: str


def parse_mutation(text: str, topology: Topology) -> Mutation:
    """The residue that a text such as `A:L14A` means, and what it becomes; one chain alone need not be named.

    Raises:
        MutationError: The text does not parse, names no residue or an ambiguous one, or its wild type is wrong.
    """
    match = _MUTATION.match(text.strip())
    if not match:
        raise MutationError(text, "cannot be read")
    old, new = match["old"].upper(), match["new"].upper()
    for letter in (old, new):
        if letter not in _NAME_OF_LETTER:
            raise MutationError(text, f"{letter} stands for none of the twenty residues")
    residue = _find(text, topology, match["chain"], int(match["number"]), match["code"])
    found = parent_of(str(topology.residue_names[residue]))
    if found != _NAME_OF_LETTER[old]:
        raise MutationError(text, f"{topology.residue_label(residue)} is not {_NAME_OF_LETTER[old]}")
    return Mutation(text, residue, _NAME_OF_LETTER[new])


def _find(text: str, topology: Topology, chain: str | None, number: int, code: str) -> int:
    protein = topology.residue_kinds == "protein"
    if chain is None:
        chains = topology.chain_ids[np.unique(topology.chain_of_residue[protein])].tolist()
        if len(chains) != 1:
            raise MutationError(text, f"does not say which chain of {', '.join(chains) or 'none'}")
        chain = chains[0]
    elif chain not in topology.chain_ids:
        raise MutationError(text, f"there is no chain {chain}, only {', '.join(topology.chain_ids.tolist())}")
    here = protein & (topology.chain_ids[topology.chain_of_residue] == chain)
    here &= (topology.residue_numbers == number) & (np.char.upper(topology.insertion_codes) == code.upper())
    rows = np.flatnonzero(here)
    if len(rows) != 1:
        count = "no" if not len(rows) else f"{len(rows)} times a"
        raise MutationError(text, f"chain {chain} has {count} protein residue {number}{code}")
    return int(rows[0])


def mutated(structure: Structure, *mutations: str) -> Structure:
    """The structure with residues exchanged, all at once: `mutated(structure, "A:L14A", "A:K7E")`.

    Backbone, CB and every side-chain atom that lies in the same place in both residues stay; the rest is built as
    in completion. A residue that had hydrogens gets its new ones.

    Raises:
        MutationError: A mutation does not fit the structure, or two exchange the same residue.
    """
    topology = structure.topology
    parsed = [parse_mutation(text, topology) for text in mutations]
    for number, mutation in enumerate(parsed):
        if mutation.residue in {other.residue for other in parsed[:number]}:
            raise MutationError(mutation.text, "another mutation exchanges the same residue")
    keep, names = np.ones(topology.n_atoms, dtype=bool), topology.residue_names.astype("U8")
    touched = np.zeros(topology.n_residues, dtype=bool)
    for mutation in parsed:
        shared = shared_atoms(str(topology.residue_names[mutation.residue]), mutation.new)
        rows = np.arange(*topology.first_atoms[mutation.residue : mutation.residue + 2])
        keep[rows] = np.isin(topology.atom_names[rows], shared)
        names[mutation.residue], touched[mutation.residue] = mutation.new, True
    renamed = replace(structure, topology=replace(topology, residue_names=names))
    return _rebuilt(renamed, keep, touched)


def _rebuilt(renamed: Structure, keep: Mask, touched: Mask) -> Structure:
    """Drop, build, and give hydrogens back to what had them and to what a dropped atom was bonded to."""
    topology = renamed.topology
    residue = topology.residue_of_atom
    hydrogens = np.zeros(topology.n_residues, dtype=bool)
    hydrogens[residue[topology.is_hydrogen]] = True
    freed = touched.copy()
    if len(topology.bonds):
        freed[residue[topology.bonds[~keep[topology.bonds].all(-1)]]] = True
    built = with_heavy_atoms(renamed.subset(keep), touched)
    if (hydrogens & freed).any():
        built = with_hydrogens(built, hydrogens & freed)
    warnings = [note for note in built.notes[len(renamed.notes) :] if note.kind == "warning"]
    return replace(built, notes=(*renamed.notes, *warnings))


def shared_atoms(old: str, new: str) -> tuple[str, ...]:
    """Heavy atoms that lie in the same place in both residues, as far as the way there from CA is the same."""
    old = canonical_name(old)
    if old == new or old not in RESIDUES or not RESIDUES[old].atoms:
        return tuple(atom.name for atom in RESIDUES[new].atoms if atom.element != "H") if old == new else _BACKBONE
    both = RESIDUES[old].by_name.keys() & RESIDUES[new].by_name.keys()
    kept = [*_BACKBONE, *(["CB"] if "CB" in both else [])]
    paths = [("CA", "CB", child) for child in RESIDUES[new].neighbours.get("CB", ())]
    while paths:
        grandparent, parent, child = paths.pop(0)
        if child in both and child not in kept and _same_place(old, new, grandparent, parent, child, kept):
            kept.append(child)
            paths += [(parent, child, other) for other in RESIDUES[new].neighbours[child]]
    return tuple(kept)


def _same_place(old: str, new: str, grandparent: str, parent: str, child: str, kept: list[str]) -> bool:
    """Whether both residues bond the same element at the same length, angle and hand."""
    elements = {RESIDUES[name].by_name[child].element for name in (old, new)}
    if len(elements) > 1 or "H" in elements or parent not in kept:
        return False
    if parent not in RESIDUES[old].neighbours[child]:
        return False
    lengths = [ideal_length(name, parent, child) for name in (old, new)]
    angles = [ideal_angle(name, grandparent, parent, child) for name in (old, new)]
    same = abs(lengths[0] - lengths[1]) < _SAME_LENGTH and abs(angles[0] - angles[1]) < _SAME_ANGLE
    return same and _same_hand(old, new, grandparent, parent, child)


def _same_hand(old: str, new: str, grandparent: str, parent: str, child: str) -> bool:
    """Whether both residues branch the same way; valine's CG1 lies where isoleucine has CG2."""
    branches = [
        {other for other in RESIDUES[name].neighbours[parent] if RESIDUES[name].by_name[other].element != "H"}
        for name in (old, new)
    ]
    if min(map(len, branches)) > 2 and branches[0] != branches[1] and not is_planar(new, parent):
        return False
    others = branches[0] & branches[1] - {grandparent, child}
    torsions = [
        [ideal_torsion(name, other, grandparent, parent, child) for name in (old, new)] for other in others
    ]
    return all(math.cos(there - here) > 0.5 for there, here in torsions)
