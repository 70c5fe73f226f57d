"""Which atoms the covalent term holds together, and what they weigh with their hydrogens."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ..chem import ELEMENTS, RESIDUES, canonical_name
from ..structure import Topology
from .ideals import described
from .layout import Integers, Layout, Mask


def described_residues(layout: Layout) -> Mask:
    """Residues of the protein whose every atom has an ideal place: `residues`."""
    good = layout.kinds == "protein"
    for residue in np.flatnonzero(good).tolist():
        known = described(layout, residue)
        good[residue] = known is not None and layout.atoms_of_residue[residue].keys() <= known.by_name.keys()
    return good


def held_atoms(layout: Layout) -> Mask:
    """Seen atoms that bonds of described residues join to a backbone; the rest stays where it is.

    Left out are ligands, ions, nucleic acids, residues without a description, and fragments that missing atoms
    cut off from N-CA-C.
    """
    able = described_residues(layout)[layout.residue_of_atom]
    group = _fragments(layout, able)
    names, residues = layout.names.tolist(), layout.residue_of_atom.tolist()
    anchored = set()
    for i, j in layout.bonds.tolist():
        if (
            able[i]
            and able[j]
            and residues[i] == residues[j]
            and {names[i], names[j]} in ({"N", "CA"}, {"CA", "C"})
        ):
            anchored.add(group[i])
    return able & np.isin(group, list(anchored))


def _fragments(layout: Layout, able: Mask) -> Integers:
    """Number of the bonded fragment that each atom belongs to."""
    i, j = layout.bonds[able[layout.bonds].all(-1)].reshape(-1, 2).T
    joined = csr_array((np.ones(len(i)), (i, j)), shape=(layout.n_seen, layout.n_seen))
    return connected_components(joined, directed=False)[1].astype(np.int64)


def united_masses(topology: Topology) -> NDArray[np.float64]:
    """Mass of each atom in Da; heavy atoms of known residues weigh their hydrogens too, present or not."""
    masses = np.array([_mass(str(symbol)) for symbol in topology.elements], dtype=np.float64)
    hydrogen = ELEMENTS["H"].mass
    first = ~topology.follows
    for atom in np.flatnonzero(~topology.is_hydrogen).tolist():
        residue = int(topology.residue_of_atom[atom])
        name = str(topology.atom_names[atom])
        known = RESIDUES.get(canonical_name(str(topology.residue_names[residue])))
        if known is None or name not in known.by_name:
            continue
        bonded = [known.by_name[other].element for other in known.neighbours.get(name, ())]
        hydrogens = bonded.count("H")
        if name == "N" and "CA" in known.by_name:  # the dictionary shows free amino acids: NH2, and NH of proline
            hydrogens += 1 if first[residue] else -1
        masses[atom] += hydrogen * hydrogens
    return masses


def _mass(element: str) -> float:
    return (ELEMENTS[element] if element in ELEMENTS else ELEMENTS["C"]).mass
