"""From atoms as a file lists them to a `Structure`: what the PDB and the mmCIF reader share."""

import numpy as np
import torch

from ..chem import kind_of
from ..errors import FormatError
from ..structure import Structure, Topology, bonds_of
from ..structure.structure import BFactorMeaning
from ..structure.topology import Integers, Strings
from .atom_table import AtomTable, Floats, RawFile, Site
from .bonds import hinted_pairs, note_breaks, note_links
from .grouping import Grouped
from .hydrogen_names import renamed
from .models import agreed
from .notebook import Notebook, counted, listed
from .remarks import remark
from .sanity import refuse_hopeless

SENTINEL = 9999.0  # Å; programs write 9999.999 for an atom whose place is not known
FAR = 8192.0  # Å; beyond it float32 cannot hold the 0.001 Å of a file
LARGEST_COORDINATE = 1e6  # Å


def assemble(raw: RawFile) -> Structure:
    """The structure, with a note for every repair.

    Coordinates are float32, exact to 0.0005 Å at 5,000 Å from the origin; a file beyond 8,192 Å is float64.

    Raises:
        FormatError: There is nothing in the file that motet could work on.
    """
    notes = Notebook(raw.notes)
    table = _tidied(raw, notes)
    group, coords = agreed(table, notes)
    topology, coords = _topology(group, coords, raw, notes)
    refuse_hopeless(topology, coords, raw.source, notes)
    meaning = _b_factor_meaning(raw, group.table, topology, notes)
    remark(topology, coords, group.table, raw, meaning, notes)
    dtype = torch.float32 if np.abs(coords).max(initial=0) <= FAR else torch.float64
    if dtype is torch.float64:
        notes.add("kept", f"coordinates lie beyond {FAR:,.0f} Å from the origin: held in float64.")
    occupancies = np.clip(np.nan_to_num(group.table.occupancies, nan=1.0), 0.0, 1.0)
    return Structure(
        topology=topology,
        coords=torch.from_numpy(np.ascontiguousarray(coords)).to(dtype),
        b_factors=torch.from_numpy(np.nan_to_num(group.table.b_factors, nan=0.0)).float(),
        occupancies=torch.from_numpy(occupancies).float(),
        b_factor_meaning=meaning,
        name=raw.name,
        notes=notes.notes,
    )


def _tidied(raw: RawFile, notes: Notebook) -> AtomTable:
    """Upper-case names, no atoms without a place."""
    table = raw.atoms
    for what, column in (("atom", table.names), ("residue", table.residues)):
        low = [word for word in column.words if word != word.upper() and len(word) <= 4]
        if low and (what == "atom" or any(word.islower() for word in low)):
            notes.add("repaired", f"{what} names in lower case ({listed(low)}): read as upper case.")
    table = table.with_(names=table.names.map(str.upper), residues=table.residues.map(str.upper))
    lost = np.asarray((np.abs(table.coords) >= SENTINEL - 0.01).all(-1))
    if lost.any():
        labels = [table.label(row) for row in np.flatnonzero(lost).tolist()]
        notes.add(
            "ignored",
            f"{counted(len(labels), 'atom')} at 9999 Å, which stands for an unknown place ({listed(labels)}).",
        )
        table = table.take(~lost)
    if not len(table):
        raise FormatError(raw.source, "holds no atom with a known place", "give a structure with coordinates")
    if np.abs(table.coords).max() > LARGEST_COORDINATE:
        raise FormatError(raw.source, "has coordinates beyond 1,000,000 Å", "check the units and the columns")
    return _named_residues(table, raw, notes)


def _named_residues(table: AtomTable, raw: RawFile, notes: Notebook) -> AtomTable:
    blank = table.residues.where("")
    if blank.all():
        raise FormatError(
            raw.source, "has blank residue names", "name the residues: without, nothing is known of them"
        )
    if blank.any():
        notes.add("repaired", f"{counted(int(blank.sum()), 'atom')} without a residue name: called UNK.")
        return table.with_(residues=table.residues.map(lambda word: word or "UNK"))
    return table


def _topology(group: Grouped, coords: Floats, raw: RawFile, notes: Notebook) -> tuple[Topology, Floats]:
    table, residue = group.table, group.residue
    first = np.flatnonzero(np.concatenate([[True], np.diff(residue) != 0]))
    chains = table.chains.array()[first]
    chain_ids = np.array(list(dict.fromkeys(chains.tolist())), dtype=np.str_)
    chain_of_residue = np.concatenate([[0], np.cumsum(chains[1:] != chains[:-1])]).astype(np.int64)
    residue_names = table.residues.array()[first]
    one = coords if coords.ndim == 2 else coords[0]
    names, elements = table.names.array(), table.elements.array()
    kinds = _kinds(names, residue, residue_names, one)
    names = renamed(names, elements, residue, residue_names, one, notes)
    hints = hinted_pairs(raw.links, _places(group, raw), notes) if raw.links else None
    topology = Topology(
        atom_names=names,
        elements=elements,
        formal_charges=table.charges,
        residue_of_atom=residue,
        residue_names=residue_names,
        residue_numbers=table.numbers[first],
        insertion_codes=table.codes.array()[first],
        residue_kinds=kinds,
        chain_of_residue=chain_of_residue,
        chain_ids=chain_ids,
        bonds=bonds_of(names, elements, residue, residue_names, kinds, chain_of_residue, one, hints),
    )
    note_breaks(topology, notes)
    note_links(topology, notes)
    return topology, coords


def _kinds(names: Strings, residue: Integers, residue_names: Strings, coords: Floats) -> Strings:
    """Kind of each residue: by name, and a peptide or sugar backbone says more than the name."""
    words, inverse = np.unique(residue_names, return_inverse=True)
    kinds = np.array([kind_of(word) for word in words.tolist()], dtype="U8")[inverse]
    unknown = kinds == "ligand"
    if not unknown.any():
        return kinds
    place = {
        name: _places_of(name, names, residue, coords, len(residue_names)) for name in ("N", "CA", "C", "P", "O3'")
    }
    peptide = (_apart(place["N"], place["CA"]) < 1.8) & (_apart(place["CA"], place["C"]) < 1.9)
    kinds[unknown & peptide] = "protein"
    bond = _apart(place["O3'"][:-1], place["P"][1:]) < LINKED_PHOSPHATE
    linked = np.zeros(len(kinds), dtype=bool)
    linked[1:] |= bond
    linked[:-1] |= bond
    kinds[unknown & linked & ~peptide] = "nucleic"
    return kinds


LINKED_PHOSPHATE = 1.9  # Å, O3'-P; the bond is 1.61 Å


def _places_of(name: str, names: Strings, residue: Integers, coords: Floats, count: int) -> Floats:
    places = np.full((count, 3), np.nan)
    hits = np.flatnonzero(names == name)
    places[residue[hits]] = coords[hits]
    return places


def _apart(a: Floats, b: Floats) -> Floats:
    return np.linalg.norm(a - b, axis=-1)


def _places(group: Grouped, raw: RawFile) -> dict[Site, int]:
    """Row of each atom by its name in the file; for those hints that name no chain, by the rest."""
    table = group.table
    columns = (table.chains.array(), table.numbers, table.codes.array(), table.names.array())
    where: dict[Site, int] = {}
    blank = any(site[0] == "" for pair in raw.links for site in pair)
    for row, (chain, number, code, name) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        where.setdefault((chain, number, code, name), row)
        if blank:
            where.setdefault(("", number, code, name), row)
    return where


def _b_factor_meaning(raw: RawFile, table: AtomTable, topology: Topology, notes: Notebook) -> BFactorMeaning:
    """What the file says; where it says nothing, what the values look like."""
    if raw.b_factor_meaning == "pLDDT":
        notes.add("kept", "the file says that it is a prediction: its B factors are read as pLDDT.")
        return "pLDDT"
    if raw.b_factor_meaning == "B" or raw.experimental or not _looks_predicted(table.b_factors, topology):
        return "B"
    notes.add(
        "kept",
        "B factors are taken for pLDDT: each residue has one value for all its atoms, all lie between 0 and 100, "
        "and the file names no experiment.",
    )
    return "pLDDT"


def _looks_predicted(values: Floats, topology: Topology) -> bool:
    """One value a residue, 0 to 100, unlike along the chain, mostly above 20; protein of ten residues or more."""
    inside = topology.is_protein
    if not np.isfinite(values).all() or inside.sum() < 50 or not inside.all():
        return False
    first = topology.first_atoms[:-1]
    per_residue = values[first]
    flat = np.abs(values - per_residue[topology.residue_of_atom]).max() < 0.005
    varied = len(np.unique(per_residue)) > max(5, topology.n_residues // 10)
    return bool(
        flat and varied and 1 < per_residue.max() <= 100 and per_residue.min() >= 0 and per_residue.mean() > 20
    )
