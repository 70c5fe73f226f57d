"""Bonds and angles against Engh and Huber's values, peptide planes, and the handedness of centres."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..chem import Ideal, parent_of, seen_from_outside, tabled_angle, tabled_length, template_of
from ..geometry import angle, backbone_torsions, distance
from ..shapes import Coords
from ..structure import Topology
from ..structure.topology import Integers

OUTLIER = 4.0  # standard deviations
TWISTED = math.radians(30.0)  # from the plane


@dataclass(frozen=True, eq=False)
class Departures:
    """Bonds, or angles, and how far each is from its ideal value.

    Args:
        atoms: Atoms of each, `items 2` or `items 3`.
        found: Their values, in Å or rad.
        ideal: What the tables want.
        deviation: Standard deviation in well-determined structures.
    """

    atoms: Int[Tensor, "items corners"]
    found: Float[Tensor, "*batch items"]
    ideal: Float[Tensor, "items"]
    deviation: Float[Tensor, "items"]

    @property
    def z(self) -> Float[Tensor, "*batch items"]:
        """Departure in standard deviations."""
        return (self.found - self.ideal) / self.deviation

    @property
    def outlier(self) -> Bool[Tensor, "*batch items"]:
        """More than four standard deviations away."""
        return self.z.abs() > OUTLIER

    @property
    def rmsd(self) -> Float[Tensor, "*batch"]:
        """Root mean square departure, in Å or rad; 0 of nothing."""
        return (self.found - self.ideal).square().sum(-1).div(max(len(self.ideal), 1)).sqrt()


class Peptide(IntEnum):
    """How the bond to the residue before lies."""

    NONE = -1
    TRANS = 0
    CIS = 1
    TWISTED = 2


def bonds(topology: Topology, coords: Coords) -> Departures:
    """Every bond between heavy protein atoms that the tables know."""
    pairs = _heavy(topology, topology.bonds.reshape(-1, 2))

    def wanted(names: tuple[str, ...], residues: tuple[str, ...]) -> Ideal | None:
        return tabled_length(residues[0], names[0], names[1], residues[1])

    atoms, ideals = _tabled(topology, pairs, 0, wanted)
    return _departures(atoms, ideals, distance(*_corners(coords, atoms)))


def angles(topology: Topology, coords: Coords) -> Departures:
    """Every angle between heavy protein atoms that the tables know."""
    triples = _heavy(topology, _triples(topology))

    def wanted(names: tuple[str, ...], residues: tuple[str, ...]) -> Ideal | None:
        after = next((residues[k] for k in (0, 2) if names[k] == "+N"), "")
        return tabled_angle(residues[1], names[0], names[1], names[2], after)

    atoms, ideals = _tabled(topology, triples, 1, wanted)
    return _departures(atoms, ideals, angle(*_corners(coords, atoms)))


def peptides(
    topology: Topology, coords: Coords
) -> tuple[Float[Tensor, "*batch residues"], Int[Tensor, "*batch residues"]]:
    """ω of the bond to the residue before, in rad, and the `Peptide` that it makes: twisted beyond 30 degrees."""
    torsions = backbone_torsions(topology, coords)
    omega, exists = torsions.omega.roll(1, -1), torsions.exists[:, 2].roll(1)
    away = omega.abs()
    kind = torch.where(away < TWISTED, int(Peptide.CIS), int(Peptide.TWISTED))
    kind = torch.where(away > math.pi - TWISTED, int(Peptide.TRANS), kind)
    return omega, torch.where(exists, kind, int(Peptide.NONE))


def mirrored(topology: Topology, coords: Coords) -> Bool[Tensor, "*batch residues"]:
    """Residues with a centre (CA; CB of ILE and THR) whose hand is not the one of their name."""
    found = torch.zeros((*coords.shape[:-2], topology.n_residues), dtype=torch.bool, device=coords.device)
    for centre, around in (("CA", ("N", "C", "CB")), ("CB", ("CA", "CG1", "CG2")), ("CB", ("CA", "OG1", "CG2"))):
        index = np.stack([topology.atom_index(name) for name in (centre, *around)])
        names = topology.residue_names
        hands = {name: _hand(name, (centre, *around)) for name in np.unique(names).tolist()}
        wanted = np.array([hands[name] for name in names.tolist()])
        rows = np.flatnonzero((index >= 0).all(0) & (wanted != 0) & (topology.residue_kinds == "protein"))
        middle, *others = (coords[..., torch.from_numpy(atom[rows]).to(coords.device), :] for atom in index)
        a, b, c = (other - middle for other in others)
        volume = (torch.linalg.cross(a, b) * c).sum(-1)
        wrong = volume * torch.from_numpy(wanted[rows]).to(volume) < 0
        place = torch.from_numpy(rows).to(coords.device)
        found[..., place] |= wrong
    return found


def _hand(residue: str, atoms: tuple[str, ...]) -> float:
    """Sign of the triple product in the dictionary's conformer; 0 where the centre has no hand, as in valine."""
    known = template_of(residue) or template_of(parent_of(residue) or "")
    if known is None or not set(atoms) <= known.by_name.keys() or (atoms[0] == "CB" and known.name == "VAL"):
        return 0.0
    points = known.ideal(atoms)
    return float(np.sign(np.linalg.det(points[1:] - points[0])))


def _heavy(topology: Topology, groups: Integers) -> Integers:
    """Those all of whose atoms are heavy and of protein."""
    chosen = topology.is_protein & ~topology.is_hydrogen
    return groups[chosen[groups].all(-1)]


def _triples(topology: Topology) -> Integers:
    """Atoms a-b-c with a and c bonded to b."""
    pairs = topology.bonds.reshape(-1, 2)
    ends, centres = np.concatenate((pairs, pairs[:, ::-1])).T
    order = np.argsort(centres, kind="stable")
    ends, centres = ends[order], centres[order]
    starts = np.searchsorted(centres, np.arange(topology.n_atoms + 1))
    counts = np.diff(starts)
    found = [np.zeros((0, 3), dtype=np.int64)]
    for first, second in combinations(range(int(counts.max(initial=0))), 2):
        middle = np.flatnonzero(counts > second)
        found.append(np.stack((ends[starts[middle] + first], middle, ends[starts[middle] + second]), axis=1))
    return np.concatenate(found)


def _tabled(
    topology: Topology,
    groups: Integers,
    owner: int,
    wanted: Callable[[tuple[str, ...], tuple[str, ...]], Ideal | None],
) -> tuple[Integers, list[Ideal]]:
    """The groups that the tables know, and what they want; looked up once for each kind of group.

    Args:
        topology: The atoms.
        groups: Atoms of each group.
        owner: Which atom of a group is in the residue whose row is asked for.
        wanted: From names, seen from that residue, and residue names, to the row.
    """
    residues = topology.residue_of_atom[groups]
    outside = residues != residues[:, [owner]]
    _, names = np.unique(topology.atom_names, return_inverse=True)
    _, kinds = np.unique(topology.residue_names, return_inverse=True)
    key = np.concatenate((names[groups], kinds[residues], outside), axis=1)
    _, first, of_group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    found = [
        wanted(
            tuple(
                seen_from_outside(str(name)) if away else str(name)
                for name, away in zip(topology.atom_names[groups[row]], outside[row], strict=True)
            ),
            tuple(str(name) for name in topology.residue_names[residues[row]]),
        )
        for row in first.tolist()
    ]
    of_group = of_group.reshape(-1)
    known = np.array([one is not None for one in found], dtype=bool)[of_group]
    return groups[known], [one for one in (found[kind] for kind in of_group[known].tolist()) if one]


def _corners(coords: Coords, atoms: Integers) -> tuple[Float[Tensor, "*batch items 3"], ...]:
    index = torch.from_numpy(atoms).to(coords.device)
    return tuple(coords[..., corner, :] for corner in index.unbind(-1))


def _departures(atoms: Integers, ideals: list[Ideal], found: Tensor) -> Departures:
    wanted = found.new_tensor([one.value for one in ideals])
    deviation = found.new_tensor([one.deviation for one in ideals])
    return Departures(torch.from_numpy(atoms).to(found.device), found, wanted, deviation)
