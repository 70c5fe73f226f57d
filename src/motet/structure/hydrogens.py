"""Hydrogens of protein residues, placed by ideal geometry: planar in the plane, tetrahedral staggered.

Names follow IUPAC (Markley et al. 1998, J. Biomol. NMR 12, 1): seen from the atom nearer to CA, the one beyond, H2
and H3 stand clockwise; of a planar NH2, the first is cis to the atom nearer to CA. The dictionary's own conformers
keep neither rule throughout.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..chem import RESIDUES, canonical_name
from .assembly import NewAtom, listed, rebonded, with_atoms
from .ideals import ideal_angle, ideal_length, ideal_torsion, is_planar
from .nearest import apart_groups, nearest_atoms
from .placement import place, unit
from .protonation import Bare, bare_atoms, partners_of
from .structure import Note, Structure
from .topology import Mask, Topology

HALF_TETRAHEDRAL = math.radians(54.75)  # half of H-C-H
TURNS = 24
NEAREST = 48
WORK = 10_000_000  # distances held at once
MEETING = 5.0  # Å between two atoms whose hydrogens might touch
OWN = 8  # at most: the atom, what it is bonded to, and the hydrogen itself
HYDROGEN_BOND = 3.0  # worth of a perfect hydrogen bond, against the costs below
BOND_LENGTH, BOND_WIDTH = 1.9, 0.35  # Å, H to acceptor
CONTACT_HEAVY, CONTACT_HYDROGEN, CONTACT_ACCEPTOR = 2.4, 2.0, 1.6  # Å, where a contact begins to count
CLASH_COST = 10.0  # per Å²
PLANAR_COST, STAGGERED_COST = 3.0, 0.5  # of turning a phenol out of its ring, and an alcohol into eclipse

_Row: TypeAlias = tuple[Bare, tuple[int, ...], int]  # the atom, its neighbours, its first hydrogen's number


def with_hydrogens(structure: Structure, asked: Mask | None = None) -> Structure:
    """The structure with all hydrogens of its protein residues, or of the asked ones, under their PDB names.

    Hydrogens that are there stay where they are. `protonation` decides which there should be, for all models
    alike, from the first. Hydroxyls and thiols turn, in each model, to the best hydrogen bond or the fewest
    clashes; methyls and ammonium groups are staggered. Waters, ligands and nucleic acids keep what they have.
    """
    asked = np.ones(structure.n_residues, dtype=bool) if asked is None else asked
    bare = bare_atoms(structure, asked)
    if not bare:
        return structure
    atoms = [NewAtom(one.residue, name, "H") for one in bare for name in one.names]
    grown, _, new_places = with_atoms(structure, atoms)
    placer = _Placer(structure.topology, structure.coords, bare)
    coords = grown.coords.clone()
    coords[..., torch.from_numpy(new_places), :] = placer.placed().reshape(*coords.shape[:-2], -1, 3)
    new = np.zeros(grown.n_atoms, dtype=bool)
    new[new_places] = True
    return rebonded(grown.with_coords(coords), new).with_notes(_note(structure.topology, bare))


def _note(topology: Topology, bare: list[Bare]) -> Note:
    rows = sorted({one.residue for one in bare})
    count = sum(len(one.names) for one in bare)
    labels = listed([topology.residue_label(row) for row in rows])
    return Note("repaired", f"placed {count} hydrogens on {len(rows)} residue{'s' * (len(rows) > 1)}: {labels}")


class _Placer:
    """Sorts the bare atoms by shape, and places all of one shape together."""

    def __init__(self, topology: Topology, coords: Tensor, bare: list[Bare]) -> None:
        self.topology = topology
        self.coords = coords.reshape(-1, topology.n_atoms, 3)
        self.partners = partners_of(topology)
        self.rows: dict[str, list[_Row]] = defaultdict(list)
        number = 0
        for one in bare:
            self.rows[_shape(one)].append((one, one.neighbours, number))
            number += len(one.names)
        self.hydrogens = self.coords.new_zeros((len(self.coords), number, 3))
        self.known = torch.zeros(number, dtype=torch.bool)

    def placed(self) -> Float[Tensor, "models hydrogens 3"]:
        """Fixed shapes first; then what can turn, seeing all of those."""
        self._opposite(self.rows["opposite"])
        self._pairs(self.rows["pair"])
        self._stars(self.rows["star"])
        self._turning(self.rows["turning"])
        return self.hydrogens

    def _put(self, rows: list[_Row], offset: int, places: Float[Tensor, "models rows 3"]) -> None:
        index = torch.tensor([number + offset for _, _, number in rows])
        self.hydrogens[:, index] = places
        self.known[index] = True

    def _at(self, atoms: Sequence[int]) -> Float[Tensor, "models rows 3"]:
        return self.coords[:, torch.tensor(atoms, dtype=torch.long)]

    def _numbers(self, values: list[float]) -> Float[Tensor, "rows"]:
        return self.coords.new_tensor(values)

    def _opposite(self, rows: list[_Row]) -> None:
        """One hydrogen, pointing away from two neighbours in a plane, or from three."""
        if not rows:
            return
        parent = self._at([one.atom for one, _, _ in rows])
        away = torch.zeros_like(parent)
        for place_in_row in range(3):
            other = self._at([near[min(place_in_row, len(near) - 1)] for _, near, _ in rows])
            counts = self._numbers([float(place_in_row < len(near)) for _, near, _ in rows])
            away = away - counts[:, None] * unit(other - parent)
        length = self._numbers([_length(self.topology, one, 0) for one, _, _ in rows])
        self._put(rows, 0, parent + length[:, None] * unit(away, fallback=(0.0, 0.0, 1.0)))

    def _pairs(self, rows: list[_Row]) -> None:
        """One or two hydrogens of a tetrahedral atom with two neighbours."""
        if not rows:
            return
        parent = self._at([one.atom for one, _, _ in rows])
        first, second = (unit(self._at([near[side] for _, near, _ in rows]) - parent) for side in (0, 1))
        away = unit(-(first + second), fallback=(0.0, 0.0, 1.0))
        across = unit(torch.linalg.cross(first, second), fallback=(1.0, 0.0, 0.0))
        hand = self._numbers([_hand(self.topology, one) for one, _, _ in rows])
        for offset, sign in enumerate((1.0, -1.0)):
            some = [row for row, (one, _, _) in enumerate(rows) if len(one.names) > offset]
            if not some:
                continue
            length = self._numbers([_length(self.topology, rows[row][0], offset) for row in some])
            out = math.cos(HALF_TETRAHEDRAL) * away[:, some]
            side = sign * math.sin(HALF_TETRAHEDRAL) * hand[some, None] * across[:, some]
            self._put([rows[row] for row in some], offset, parent[:, some] + length[:, None] * (out + side))

    def _stars(self, rows: list[_Row]) -> None:
        """Methyls, ammonium and amide groups: hydrogens around one neighbour, staggered or in its plane."""
        for offset in range(3):
            some = [row for row in rows if len(row[0].names) > offset]
            if some:
                torsions = self._numbers([self._star_torsion(one, offset) for one, _, _ in some])
                self._put(some, offset, self._around(some, offset, torsions))

    def _star_torsion(self, one: Bare, offset: int) -> float:
        """Planar: cis, then trans. Staggered: the dictionary's torsion made exact, or 180, 300, 60 degrees."""
        if one.planar:
            return offset * math.pi
        reference, middle = (self._name(atom) for atom in self._frame(one))
        parent, name, step = self._name(one.atom), _residue(self.topology, one), math.tau / 3
        if not {reference, middle, parent, *one.names} <= RESIDUES[name].by_name.keys():
            return math.pi + offset * step
        torsion = ideal_torsion(name, reference, middle, parent, one.names[offset])
        return math.pi + round((torsion - math.pi) / step) * step

    def _around(
        self, rows: list[_Row], offset: int, torsions: Float[Tensor, "*turns rows"]
    ) -> Float[Tensor, "models *turns rows 3"]:
        """Hydrogens at some torsions about the bond to their atom's one neighbour."""
        frames = [self._frame(one) for one, _, _ in rows]
        a, b = (self._at([frame[side] for frame in frames]) for side in (0, 1))
        c = self._at([one.atom for one, _, _ in rows])
        if torsions.dim() == 2:
            a, b, c = a[:, None], b[:, None], c[:, None]
        length = self._numbers([_length(self.topology, one, offset) for one, _, _ in rows])
        angle = self._numbers([_angle(self.topology, one, offset) for one, _, _ in rows])
        return place(a, b, c, length.expand_as(torsions), angle.expand_as(torsions), torsions)

    def _frame(self, one: Bare) -> tuple[int, int]:
        """The neighbour of an atom, and before it that one's: heavy, of the same residue, and nearest to CA."""
        middle = one.neighbours[0]
        others = [atom for atom in self.partners[middle] if atom != one.atom]
        hydrogen, residue = self.topology.is_hydrogen, self.topology.residue_of_atom
        others.sort(key=lambda atom: (hydrogen[atom], residue[atom] != one.residue, _remoteness(self._name(atom))))
        return (others[0] if others else middle), middle

    def _name(self, atom: int) -> str:
        return str(self.topology.atom_names[atom])

    def _turning(self, rows: list[_Row]) -> None:
        """Hydroxyls, thiols and the H of an N after a break: the best of all turns, in each model.

        First all at once, blind to each other; then in groups whose members are too far apart to meet, each seeing
        what the groups before have chosen.
        """
        self._turn(rows)
        groups = apart_groups(self._at([one.atom for one, _, _ in rows]), MEETING)
        for group in range(max(groups, default=-1) + 1):
            self._turn([row for row, number in zip(rows, groups, strict=True) if number == group])

    def _turn(self, rows: list[_Row]) -> None:
        at_once = max(1, WORK // (len(self.coords) * TURNS * NEAREST))
        for start in range(0, len(rows), at_once):
            self._turn_some(rows[start : start + at_once])

    def _turn_some(self, rows: list[_Row]) -> None:
        turns = torch.arange(TURNS).to(self.coords) * (math.tau / TURNS)
        torsions = turns[:, None].expand(-1, len(rows))
        tried = self._around(rows, 0, torsions)  # models turns rows 3
        planar = [is_planar_atom(self.topology, self._frame(one)[1]) for one, _, _ in rows]
        flat = PLANAR_COST * torch.sin(torsions).square()
        stagger = STAGGERED_COST * (1 + torch.cos(3 * torsions)) / 2
        costs = torch.where(torch.tensor(planar, device=turns.device), flat, stagger)
        costs = costs + self._surroundings(rows, tried)
        best = costs.argmin(1)[:, None, :, None]
        self._put(rows, 0, torch.take_along_dim(tried, best, dim=1)[:, 0])

    def _surroundings(
        self, rows: list[_Row], tried: Float[Tensor, "models turns rows 3"]
    ) -> Float[Tensor, "models turns rows"]:
        """Clashes less hydrogen bonds of each turn, with all atoms but the nearest three by bonds."""
        places = torch.cat([self.coords, self.hydrogens[:, self.known]], dim=1)
        heavy_hydrogens = torch.from_numpy(self.topology.is_hydrogen.copy())
        hydrogen = torch.cat([heavy_hydrogens, torch.ones(int(self.known.sum()), dtype=torch.bool)])
        acceptor = torch.cat(
            [torch.from_numpy(self.topology.elements == "O"), torch.zeros(int(self.known.sum())) > 0]
        )
        parent = self._at([one.atom for one, _, _ in rows])
        reach, near = nearest_atoms(places, parent, NEAREST)  # models rows nearest
        place_of = torch.where(self.known, self.coords.shape[1] + torch.cumsum(self.known, 0) - 1, -1)
        own = [[one.atom, *beside, int(place_of[number])] for one, beside, number in rows]
        padded = [atoms + [-1] * (OWN - len(atoms)) for atoms in own]
        ours = (near[..., None] == torch.tensor(padded, device=near.device)[:, None]).any(-1)
        reach = reach.masked_fill(ours, torch.inf)
        around = torch.take_along_dim(places, near.reshape(len(places), -1, 1), dim=1).reshape(*near.shape, 3)
        away = around[:, None] - tried[:, :, :, None]  # models turns rows nearest 3
        length = away.norm(dim=-1)
        straight = (unit(tried - parent[:, None])[..., None, :] * unit(away)).sum(-1).clamp(min=0)
        hydrogen, acceptor = (mask.to(near.device)[near][:, None] for mask in (hydrogen, acceptor))
        bond = HYDROGEN_BOND * straight.square() * torch.exp(-((length - BOND_LENGTH) / BOND_WIDTH).square())
        contact = torch.where(hydrogen, CONTACT_HYDROGEN, torch.where(acceptor, CONTACT_ACCEPTOR, CONTACT_HEAVY))
        clash = CLASH_COST * (contact - length).clamp(min=0).square()
        cost = torch.where(acceptor, clash - bond, clash)
        return cost.masked_fill(reach.isinf()[:, None], 0.0).sum(-1)


def _shape(one: Bare) -> str:
    """What decides a hydrogen's place: the number of its atom's neighbours and whether they lie in a plane."""
    neighbours = len(one.neighbours)
    if neighbours >= 3 or (neighbours == 2 and one.planar):
        return "opposite"
    if neighbours == 2:
        return "pair"
    return "turning" if len(one.names) == 1 and (one.loose or not one.planar) else "star"


def is_planar_atom(topology: Topology, atom: int) -> bool:
    """Whether an atom's neighbours lie in one plane with it, by the dictionary."""
    residue = canonical_name(str(topology.residue_names[topology.residue_of_atom[atom]]))
    name = str(topology.atom_names[atom])
    return residue in RESIDUES and name in RESIDUES[residue].by_name and is_planar(residue, name)


def _residue(topology: Topology, one: Bare) -> str:
    return canonical_name(str(topology.residue_names[one.residue]))


def _like(topology: Topology, one: Bare, offset: int) -> tuple[str, str, str]:
    """Residue, atom and hydrogen as the dictionary has them: H1 of a first residue is its H."""
    name, parent = _residue(topology, one), str(topology.atom_names[one.atom])
    known = RESIDUES[name]
    hydrogen = one.names[offset]
    if hydrogen not in known.by_name:
        hydrogen = next(other for other in known.neighbours[parent] if known.by_name[other].element == "H")
    return name, parent, hydrogen


def _length(topology: Topology, one: Bare, offset: int) -> float:
    name, parent, hydrogen = _like(topology, one, offset)
    return ideal_length(name, parent, hydrogen)


def _angle(topology: Topology, one: Bare, offset: int) -> float:
    """Angle at the atom; of the dictionary where it knows the neighbour, else what the shape has."""
    name, parent, hydrogen = _like(topology, one, offset)
    middle = str(topology.atom_names[one.neighbours[0]])
    if one.planar:
        return math.radians(120.0)
    if middle in RESIDUES[name].by_name:
        return ideal_angle(name, middle, parent, hydrogen)
    return math.radians(109.5)


def _hand(topology: Topology, one: Bare) -> float:
    """On which side of its two neighbours the first hydrogen lies: the sign of first × second · hydrogen."""
    known = RESIDUES[_residue(topology, one)]
    parent, first, second = (str(topology.atom_names[atom]) for atom in (one.atom, *one.neighbours[:2]))
    if one.names[0][-1] not in "23" or not {first, second} <= known.by_name.keys():
        return 1.0
    side = 1.0 if one.names[0].endswith("2") else -1.0
    inner, outer = (_remoteness(name, parent) for name in (first, second))
    return -side if inner < outer else side


def _remoteness(name: str, parent: str = "") -> int:
    """How far along the side chain an atom is, by its Greek letter; proline's N lies beyond its CD."""
    if name == "N":
        return 99 if parent and parent != "CA" else 0
    return "ABGDEZH".find(name[1:2]) + 1 or 50
