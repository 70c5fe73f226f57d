"""What a person should know of a structure that was read: what is missing, odd, or carried along."""

from collections import Counter

import numpy as np

from ..chem import RESIDUES, STANDARD, parent_of, template_of
from ..structure import Topology
from ..structure.nearest import near_pairs
from ..structure.structure import BFactorMeaning
from ..structure.topology import Integers
from .atom_table import AtomTable, Floats, RawFile
from .notebook import Notebook, counted, listed

COINCIDENT = 0.05  # Å
LONG_BOND = 2.6  # Å; the longest covalent bond in a protein, S-S, is 2.05 Å


def remark(
    topology: Topology, coords: Floats, table: AtomTable, raw: RawFile, meaning: BFactorMeaning, notes: Notebook
) -> None:
    """Take every note that follows from the finished topology."""
    one = coords if coords.ndim == 2 else coords[0]
    _note_kinds(topology, notes)
    _note_modified(topology, notes)
    _note_missing_atoms(topology, notes)
    _note_unexpected_atoms(topology, notes)
    _note_missing_residues(topology, raw, notes)
    _note_chains(topology, notes)
    _note_chirality(topology, one, notes)
    _note_overlaps(topology, one, notes)
    _note_long_bonds(topology, one, notes)
    _note_occupancies(table, notes)
    _note_b_factors(table, meaning, notes)
    charged = np.flatnonzero(topology.formal_charges)
    if len(charged):
        labels = [topology.atom_label(atom) for atom in charged.tolist()]
        notes.add("kept", f"formal charges of {counted(len(labels), 'atom')} ({listed(labels)}).")


def _note_kinds(topology: Topology, notes: Notebook) -> None:
    """Everything that is not protein is carried along."""
    for kind, word, plural in (
        ("nucleic", "nucleotide", "nucleotides"),
        ("ligand", "ligand", "ligands"),
        ("ion", "ion", "ions"),
        ("water", "water", "waters"),
    ):
        members = np.flatnonzero(topology.residue_kinds == kind)
        if len(members):
            names = [name for name, _ in Counter(topology.residue_names[members].tolist()).most_common()]
            notes.add(
                "kept", f"{counted(len(members), word, plural)} ({listed(names, 8)}): not protein, carried along."
            )


def _note_modified(topology: Topology, notes: Notebook) -> None:
    protein = topology.residue_names[topology.residue_kinds == "protein"].tolist()
    for name, number in Counter(protein).items():
        if name in STANDARD or name in ("ACE", "NME", "NH2"):
            continue
        parent = parent_of(name)
        if name not in RESIDUES and parent:
            notes.add("kept", f"{counted(number, 'residue')} {name}: another program's name for {parent}.")
        elif parent:
            notes.add("kept", f"{counted(number, 'residue')} {name}: modified {parent}, kept under its own name.")
        else:
            notes.add(
                "kept",
                f"{counted(number, 'residue')} {name}: not one of the twenty amino acids nor made from one.",
            )


def _place_table(topology: Topology) -> dict[str, Integers]:
    """Residues by name, protein with a table only."""
    names = topology.residue_names
    protein = topology.residue_kinds == "protein"
    return {
        name: np.flatnonzero(protein & (names == name))
        for name in dict.fromkeys(names[protein].tolist())
        if template_of(name) is not None
    }


def _note_missing_atoms(topology: Topology, notes: Notebook) -> None:
    missing: dict[int, list[str]] = {}
    index = {}
    for name, members in _place_table(topology).items():
        kind = template_of(name)
        assert kind is not None
        for atom in kind.heavy_names:
            if atom not in index:
                index[atom] = topology.atom_index(atom)
            for residue in members[index[atom][members] < 0].tolist():
                missing.setdefault(residue, []).append(atom)
    if missing:
        labels = [f"{topology.residue_label(r)} lacks {' '.join(missing[r][:4])}" for r in sorted(missing)]
        notes.add(
            "warning", f"heavy atoms are missing in {counted(len(missing), 'residue')} ({listed(labels, 4)})."
        )


def _note_unexpected_atoms(topology: Topology, notes: Notebook) -> None:
    known: set[tuple[str, str]] = set()
    for name in _place_table(topology):
        kind = template_of(name)
        assert kind is not None
        known |= {(name, atom) for atom in (*kind.by_name, "H1", "H3", "HN", "D", "D1", "D2", "D3")}
    names = {name for name, _ in known}
    heavy = topology.is_protein & ~topology.is_hydrogen
    words, of_word = np.unique(topology.atom_names, return_inverse=True)
    kinds, of_kind = np.unique(topology.residue_names, return_inverse=True)
    key = of_kind[topology.residue_of_atom] * len(words) + of_word
    odd = []
    for value, atom in zip(*np.unique(key[heavy], return_index=True), strict=True):
        kind, word = str(kinds[value // len(words)]), str(words[value % len(words)])
        if kind in names and (kind, word) not in known:
            odd.append(topology.atom_label(int(np.flatnonzero(heavy)[atom])))
    if odd:
        notes.add("warning", f"atoms that their residue does not have: {listed(odd)}; bonded by distance.")


def _note_missing_residues(topology: Topology, raw: RawFile, notes: Notebook) -> None:
    polymer = np.isin(topology.residue_kinds, ("protein", "nucleic"))
    for index, chain in enumerate(topology.chain_ids.tolist()):
        listed_there = raw.sequences.get(chain)
        if listed_there:
            seen = int((polymer & (topology.chain_of_residue == index)).sum())
            if seen < len(listed_there):
                absent, whole = len(listed_there) - seen, counted(len(listed_there), "residue")
                notes.add("warning", f"chain {chain}: {absent} of {whole} in its sequence have no coordinates.")


def _note_chains(topology: Topology, notes: Notebook) -> None:
    odd = [chain for chain in topology.chain_ids.tolist() if not chain.isalnum()]
    if odd:
        notes.add("kept", f"{counted(len(odd), 'chain name')} neither letter nor digit ({listed(odd, 8)}).")


def _note_chirality(topology: Topology, coords: Floats, notes: Notebook) -> None:
    """Amino acids whose Cα is a mirror image."""
    index = [topology.atom_index(name) for name in ("N", "CA", "C", "CB")]
    whole = (topology.residue_kinds == "protein") & np.all([i >= 0 for i in index], axis=0)
    n, ca, c, cb = (coords[i] for i in index)
    volume = np.einsum("ij,ij->i", np.cross(n - ca, c - ca), cb - ca)
    right = np.flatnonzero(whole & (volume < -0.5))
    if len(right):
        labels = [topology.residue_label(r) for r in right.tolist()]
        notes.add(
            "warning", f"{counted(len(labels), 'residue')} of D chirality ({listed(labels)}): used as they are."
        )


def _note_overlaps(topology: Topology, coords: Floats, notes: Notebook) -> None:
    if len(coords) < 2:
        return
    one, other, _ = near_pairs(coords, coords, 2, COINCIDENT)
    hits = np.unique(one[one != other])
    if len(hits):
        labels = [topology.atom_label(atom) for atom in hits.tolist()]
        notes.add("warning", f"{counted(len(hits), 'atom')} at the very place of another ({listed(labels)}).")


def _note_long_bonds(topology: Topology, coords: Floats, notes: Notebook) -> None:
    if len(topology.bonds):
        ends = coords[topology.bonds]
        long = np.flatnonzero(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1) > LONG_BOND)
        if len(long):
            labels = [
                "-".join(topology.atom_label(atom) for atom in topology.bonds[k].tolist()) for k in long.tolist()
            ]
            notes.add("warning", f"{counted(len(long), 'bond')} longer than {LONG_BOND} Å ({listed(labels, 3)}).")


def _note_occupancies(table: AtomTable, notes: Notebook) -> None:
    values = table.occupancies
    blank, negative, above = np.isnan(values), values < 0, values > 1
    if blank.any():
        notes.add("repaired", f"{counted(int(blank.sum()), 'atom')} without an occupancy: taken for 1.")
    if negative.any():
        notes.add("repaired", f"{counted(int(negative.sum()), 'atom')} with a negative occupancy: taken for 0.")
    if above.any():
        notes.add("repaired", f"{counted(int(above.sum()), 'atom')} with an occupancy above 1: taken for 1.")
    zero = (values <= 0) & ~blank
    if zero.any():
        which = "all atoms have" if zero.all() else f"{counted(int(zero.sum()), 'atom')} with"
        notes.add("warning", f"{which} occupancy 0: no experiment saw them there; used all the same.")


def _note_b_factors(table: AtomTable, meaning: BFactorMeaning, notes: Notebook) -> None:
    values = table.b_factors
    blank = np.isnan(values)
    if blank.any():
        notes.add("repaired", f"{counted(int(blank.sum()), 'atom')} without a B factor: taken for 0.")
    if (values[~blank] > 300).all() and not blank.all():
        notes.add("warning", "all B factors exceed 300 Å²: they mean nothing.")
    if meaning == "pLDDT" and (values[~blank] > 100.5).any():
        notes.add("warning", "values above 100 where pLDDT should stand.")
