"""What each atom is to its neighbours: how large, and whether it gives or takes hydrogen bonds."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..chem import ELEMENTS, read_table, template_of
from ..structure import Topology
from ..structure.ideals import is_planar
from ..structure.topology import Integers, Mask

_ELEMENT_KINDS = {"C": "carbon", "N": "nitrogen", "O": "oxygen", "S": "sulphur", "SE": "sulphur"}
_POSITIVE = {"LYS": ("NZ",), "ARG": ("NE", "NH1", "NH2"), "HIS": ("ND1", "NE2")}
_NEGATIVE = {"ASP": ("OD1", "OD2"), "GLU": ("OE1", "OE2")}


@dataclass(frozen=True, eq=False)
class ContactAtoms:
    """Atoms as spheres.

    Args:
        radii: In Å.
        cloud: How far a hydrogen's electron cloud stands from its holder, in Å; 0 for heavy atoms.
        holder: The atom that a hydrogen is bonded to; itself for a heavy atom.
        donor: Hydrogens of N, O and S.
        acceptor: O, S, and ring N without a hydrogen.
        charged: Atoms of charged groups.
        water: Atoms of water.
        ion: Single ions, whose contacts are bonds of their own.
    """

    radii: Float[Tensor, "atoms"]
    cloud: Float[Tensor, "atoms"]
    holder: Integers
    donor: Bool[Tensor, "atoms"]
    acceptor: Bool[Tensor, "atoms"]
    charged: Bool[Tensor, "atoms"]
    water: Bool[Tensor, "atoms"]
    ion: Bool[Tensor, "atoms"]


def contact_atoms(topology: Topology) -> ContactAtoms:
    """The atoms of a topology that has its hydrogens."""
    holder = _holders(topology)
    elements = np.char.upper(topology.elements.astype(str))
    held_by = elements[holder]
    hydrogen = topology.is_hydrogen & (holder != np.arange(topology.n_atoms))
    bare = np.ones(topology.n_atoms, dtype=bool)
    bare[holder[hydrogen]] = False
    radii = np.array([_bulk(element) for element in elements.tolist()])
    cloud = np.zeros(topology.n_atoms)
    radii[_carbonyl(topology, elements)] = _kinds()["carbonyl_carbon"][0]
    planar = _planar(topology)
    for kind, chosen in (
        ("hydrogen_on_carbon", held_by == "C"),
        ("hydrogen_on_aromatic_carbon", (held_by == "C") & planar[holder]),
        ("hydrogen_on_nitrogen", held_by == "N"),
        ("hydrogen_on_oxygen", held_by == "O"),
        ("hydrogen_on_sulphur", (held_by == "S") | (held_by == "SE")),
    ):
        radii[hydrogen & chosen], cloud[hydrogen & chosen] = _kinds()[kind]
    water, ion = ((topology.residue_kinds == kind)[topology.residue_of_atom] for kind in ("water", "ion"))
    histidine = topology.residue_names[topology.residue_of_atom] == "HIS"
    sulphur = (elements == "S") | (elements == "SE")
    acceptor = (elements == "O") | sulphur | ((elements == "N") & bare & planar & histidine)
    donor = hydrogen & np.isin(held_by, ("N", "O", "S", "SE"))
    masks = (donor, acceptor, _charged(topology)[holder], water, ion)
    return ContactAtoms(
        torch.from_numpy(radii), torch.from_numpy(cloud), holder, *(torch.from_numpy(mask) for mask in masks)
    )


@cache
def _kinds() -> dict[str, tuple[float, float]]:
    rows = read_table("contact_radii.csv", f"{__package__}.tables")
    return {row["kind"]: (float(row["radius_angstrom"]), float(row["length_angstrom"] or 0)) for row in rows}


def _bulk(element: str) -> float:
    """Radius of an element: the table's own, else the general one."""
    if element in _ELEMENT_KINDS:
        return _kinds()[_ELEMENT_KINDS[element]][0]
    if element == "H":
        return _kinds()["hydrogen_on_carbon"][0]
    known = ELEMENTS.get(element.capitalize())
    return known.van_der_waals_radius if known else _kinds()["carbon"][0]


def _holders(topology: Topology) -> Integers:
    """The heavy atom that each hydrogen is bonded to; itself for everything else."""
    holder = np.arange(topology.n_atoms)
    for a, b in topology.bonds.reshape(-1, 2).T, topology.bonds.reshape(-1, 2)[:, ::-1].T:
        ours = topology.is_hydrogen[a] & ~topology.is_hydrogen[b]
        holder[a[ours]] = b[ours]
    return holder


def _carbonyl(topology: Topology, elements: np.ndarray) -> Mask:
    """Protein carbons with an oxygen that is bonded to nothing else."""
    pairs = topology.bonds.reshape(-1, 2)
    degree = np.bincount(pairs.ravel(), minlength=topology.n_atoms)
    found = np.zeros(topology.n_atoms, dtype=bool)
    for a, b in pairs.T, pairs[:, ::-1].T:
        found[a[(elements[a] == "C") & (elements[b] == "O") & (degree[b] == 1)]] = True
    return found & topology.is_protein


def _planar(topology: Topology) -> Mask:
    """Atoms whose neighbours lie in a plane with them; asked once for each kind of atom."""
    names, of_atom = np.unique(topology.atom_names, return_inverse=True)
    residues, of_residue = np.unique(topology.residue_names, return_inverse=True)
    code = of_residue[topology.residue_of_atom] * len(names) + of_atom
    kinds, back = np.unique(code, return_inverse=True)
    found = []
    for kind in kinds.tolist():
        known = template_of(str(residues[kind // len(names)]))
        name = str(names[kind % len(names)])
        found.append(known is not None and name in known.by_name and is_planar(known.name, name))
    return np.array(found, dtype=bool)[back]


def _charged(topology: Topology) -> Mask:
    """Heavy atoms of charged groups: side chains, and the ends of chains."""
    residue = topology.residue_names[topology.residue_of_atom]
    charged = topology.atom_names == "OXT"
    ends = np.zeros(topology.n_residues, dtype=bool)
    ends[topology.residue_of_atom[charged]] = True
    charged |= ends[topology.residue_of_atom] & (topology.atom_names == "O")
    charged |= (topology.atom_names == "N") & _ammonium(topology)
    for name, atoms in (_POSITIVE | _NEGATIVE).items():
        charged |= (residue == name) & np.isin(topology.atom_names, atoms)
    return charged & topology.is_protein


def _ammonium(topology: Topology) -> Mask:
    """Atoms with three hydrogens."""
    return np.bincount(_holders(topology)[topology.is_hydrogen], minlength=topology.n_atoms) >= 3
