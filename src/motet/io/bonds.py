"""What a file adds to the bonds that `structure` finds: the pairs that it claims, and notes for a person."""

from collections.abc import Iterable

import numpy as np

from ..structure import Topology
from ..structure.topology import Integers
from .atom_table import Site
from .notebook import Notebook, counted, listed


def note_breaks(topology: Topology, notes: Notebook) -> None:
    """Note where a chain has two amino acids in a row whose C and N do not touch."""
    carbon, nitrogen = topology.atom_index("C")[:-1], topology.atom_index("N")[1:]
    protein = topology.residue_kinds == "protein"
    same = (np.diff(topology.chain_of_residue) == 0) & protein[:-1] & protein[1:]
    broken = np.flatnonzero(same & (carbon >= 0) & (nitrogen >= 0) & ~topology.follows[1:])
    if len(broken):
        gaps = [f"{topology.residue_label(k)} to {topology.residue_label(k + 1)}" for k in broken.tolist()]
        notes.add("warning", f"{counted(len(gaps), 'chain break')} ({listed(gaps)}): no peptide bond there.")


def note_links(topology: Topology, notes: Notebook) -> None:
    """Note the bonds between residues that are no polymer's own: neither peptide bond, disulfide nor nucleic."""
    residue = topology.residue_of_atom[topology.bonds]
    across = np.flatnonzero(residue[:, 0] != residue[:, 1])
    atoms, residue = topology.bonds[across], residue[across]
    names, kinds = topology.atom_names[atoms], topology.residue_kinds[residue]
    peptide = (names[:, 0] == "C") & (names[:, 1] == "N") & topology.follows[residue[:, 1]]
    peptide &= (residue[:, 1] - residue[:, 0] == 1) & (kinds == "protein").all(-1)
    disulfide = (names == "SG").all(-1) & (topology.elements[atoms] == "S").all(-1)
    nucleic = (kinds == "nucleic").all(-1)
    links = residue[~(peptide | disulfide | nucleic)]
    if len(links):
        ends = ["-".join(map(topology.residue_label, pair)) for pair in links.tolist()]
        notes.add("kept", f"{counted(len(ends), 'covalent link')} between residues: {listed(ends)}.")


def hinted_pairs(links: Iterable[tuple[Site, Site]], where: dict[Site, int], notes: Notebook) -> Integers:
    """Atom pairs for the bonds that a file claims; those that cannot be are noted and left out."""
    pairs, ghosts, selves = [], [], 0
    for one, other in links:
        if one == other and one[3]:
            selves += 1
            continue
        i, j = where.get(one, -1), where.get(other, -1)
        if i < 0 or j < 0:
            ghosts.append(_site_label(one if i < 0 else other))
        elif i != j:
            pairs.append((i, j))
    if selves:
        notes.add("ignored", f"{counted(selves, 'bond')} of an atom to itself.")
    if ghosts:
        ends = listed(list(dict.fromkeys(ghosts)))
        notes.add(
            "ignored", f"{counted(len(ghosts), 'bond')} in the header to an atom that is not there ({ends})."
        )
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _site_label(site: Site) -> str:
    chain, number, code, name = site
    return f"{chain}:{number}{code}/{name}" if name else "an unknown serial number"
