"""Missing heavy atoms of protein residues, from ideal geometry; side chains in the rotamer that clashes least."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..chem import RESIDUES, canonical_name, chis_of
from .assembly import NewAtom, listed, rebonded, with_atoms
from .placement import place
from .recipes import AFTER, BEFORE, Recipe, Step, recipe
from .rotamers import Candidates, Surroundings, candidates
from .structure import Note, Structure
from .topology import Integers, Mask, Topology

PEPTIDE_REACH = 2.0  # Å, C to N
ANGLE_REACH = 3.0  # Å, C to CA or CA to N across a peptide whose N or C is missing: 2.43 when it is there
SWEEPS = 3
CLOSURE_COST = 1000.0  # per Å²
WORK = 20_000_000  # numbers held at once
_STAGES = (("N", "CA", "C"), ("O", "CB", "OXT"))  # then everything else


def with_heavy_atoms(structure: Structure, asked: Mask | None = None) -> Structure:
    """The structure with the missing heavy atoms of its protein residues, or of the asked ones alone.

    A residue of the dictionary is built from its own atoms and from the peptides on both sides; a chain's last
    residue gets its OXT, a chain break does not. What cannot be built, as in a residue of CA alone, is left out
    and named in a note. Present atoms are never moved, and atoms that the dictionary does not know are kept.
    """
    topology = structure.topology
    asked = np.ones(topology.n_residues, dtype=bool) if asked is None else asked
    ends = chain_ends(topology)
    missing = [atom for row in described(topology, asked) for atom in _missing(topology, row, bool(ends[row]))]
    if not missing:
        return structure
    grown, _, index = with_atoms(structure, missing)
    builder = _Builder(grown, index)
    builder.build()
    built = grown.with_coords(builder.coords.reshape(grown.coords.shape))
    new = np.zeros(grown.n_atoms, dtype=bool)
    new[index] = True
    built = rebonded(built.subset(builder.known), new[builder.known])
    return built.with_notes(*_notes(grown.topology, index, builder.known))


def described(topology: Topology, asked: Mask) -> list[int]:
    """Protein residues that the dictionary describes; UNK says itself that nobody knows it."""
    known = {
        name: canonical_name(name) in RESIDUES and bool(RESIDUES[canonical_name(name)].atoms) and name != "UNK"
        for name in np.unique(topology.residue_names).tolist()
    }
    protein = asked & (topology.residue_kinds == "protein")
    return [row for row in np.flatnonzero(protein).tolist() if known[str(topology.residue_names[row])]]


def _missing(topology: Topology, residue: int, ends_chain: bool) -> Iterator[NewAtom]:
    known = RESIDUES[canonical_name(str(topology.residue_names[residue]))]
    first, last = topology.first_atoms[residue : residue + 2]
    present = set(topology.atom_names[first:last].tolist())
    wanted = known.heavy_names
    if "OXT" in known.by_name and ends_chain:
        wanted = (*wanted, "OXT")
    for name in wanted:
        if name not in present:
            yield NewAtom(residue, name, known.by_name[name].element)


def chain_ends(topology: Topology) -> Mask:
    """Which residues are the last protein residue of their chain, with a C that binds no other residue."""
    ends = np.zeros(topology.n_residues, dtype=bool)
    protein = np.flatnonzero(topology.residue_kinds == "protein")
    ends[protein[np.flatnonzero(np.diff(topology.chain_of_residue[protein], append=-1))]] = True
    if len(topology.bonds):
        residues = topology.residue_of_atom[topology.bonds]
        across = topology.bonds[residues[:, 0] != residues[:, 1]]
        carbons = across[topology.atom_names[across] == "C"]
        ends[topology.residue_of_atom[carbons]] = False
    return ends


def chain_starts(topology: Topology) -> Mask:
    """Which residues are the first protein residue of their chain."""
    starts = np.zeros(topology.n_residues, dtype=bool)
    protein = np.flatnonzero(topology.residue_kinds == "protein")
    starts[protein[np.flatnonzero(np.diff(topology.chain_of_residue[protein], prepend=-1))]] = True
    return starts


@dataclass(frozen=True)
class _Group:
    """Residues that one recipe builds: their rows, and the atom index of each name the recipe mentions."""

    residue: str
    recipe: Recipe
    rows: Integers
    atoms: dict[str, Integers]


class _Builder:
    """Coordinates of all models, and which atoms have theirs yet."""

    def __init__(self, grown: Structure, new: Integers) -> None:
        self.topology = grown.topology
        self.coords = grown.coords.reshape(-1, grown.n_atoms, 3).clone()
        self.known = np.ones(grown.n_atoms, dtype=bool)
        self.known[new] = False
        self.new = new
        self.residue_of_new = self.topology.residue_of_atom[new]
        self.surroundings = Surroundings(self.topology)

    def build(self) -> None:
        """Backbone first, then what hangs on it; side chains look at each other again until they agree."""
        for stage in _STAGES:
            for group in self._groups(stage):
                self._place(group)
        groups = sorted(self._groups(()), key=lambda group: len(group.recipe.turns))
        for group in groups:
            self._place(group)
        for _ in range(1, SWEEPS):
            for group in groups:
                if group.recipe.turns:
                    for parity in (0, 1):
                        self._place(_part(group, group.rows % 2 == parity))

    def _groups(self, stage: tuple[str, ...]) -> list[_Group]:
        """Residues by recipe; the last stage, empty, wants all that is still missing."""
        topology, before, after = self.topology, *self._links()
        groups: dict[tuple[str, Recipe], list[int]] = defaultdict(list)
        rows = np.unique(self.residue_of_new[~self.known[self.new]])
        for row in rows.tolist():
            first, last = topology.first_atoms[row : row + 2]
            names, known = topology.atom_names[first:last], self.known[first:last]
            wanted = tuple(name for name in names[~known].tolist() if not stage or name in stage)
            if not wanted:
                continue
            name = canonical_name(str(topology.residue_names[row]))
            present = set(names[known].tolist()) & RESIDUES[name].by_name.keys()
            present |= set(BEFORE if before[row] else ()) | set(AFTER if after[row] else ())
            groups[name, recipe(name, frozenset(present), wanted)].append(row)
        return [
            _Group(name, steps, np.array(found), self._atoms(steps, np.array(found)))
            for (name, steps), found in groups.items()
            if steps.steps
        ]

    def _atoms(self, steps: Recipe, rows: Integers) -> dict[str, Integers]:
        names = {name for step in steps.steps for name in _names(step)}
        shift = {name: -1 if name.startswith("-") else int(name.startswith("+")) for name in names}
        return {name: self.topology.atom_index(name.lstrip("+-"))[rows + shift[name]] for name in names}

    def _links(self) -> tuple[Mask, Mask]:
        """Whether each residue can be built from the C, CA and O before it, and from the N after it."""
        n, ca, c, o = (self._where(name) for name in ("N", "CA", "C", "O"))
        chain, protein = self.topology.chain_of_residue, self.topology.residue_kinds == "protein"
        neighbours = np.zeros(len(chain), dtype=bool)
        neighbours[1:] = (chain[1:] == chain[:-1]) & protein[1:] & protein[:-1]
        last_c, last_ca, last_o = (np.concatenate([[-1], index[:-1]]) for index in (c, ca, o))
        bonded = self._within(last_c, n, PEPTIDE_REACH)
        before = neighbours & (last_c >= 0) & (last_ca >= 0) & (last_o >= 0)
        before &= (n >= 0) | self._within(last_c, ca, ANGLE_REACH)
        linked = neighbours & (n >= 0) & (bonded | ((last_c < 0) & self._within(last_ca, n, ANGLE_REACH)))
        return before, np.concatenate([linked[1:], [False]])

    def _where(self, name: str) -> Integers:
        index = self.topology.atom_index(name)
        return np.where((index >= 0) & self.known[index], index, -1)

    def _within(self, i: Integers, j: Integers, reach: float) -> Mask:
        coords = self.coords[0].detach().double().cpu().numpy()
        return (i >= 0) & (j >= 0) & (np.linalg.norm(coords[i] - coords[j], axis=-1) < reach)

    def _place(self, group: _Group) -> None:
        """Build the group in every candidate, and keep for each model and residue the one that clashes least."""
        options = candidates(group.residue, group.recipe, self.coords)
        new = [step.atom for step in group.recipe.steps]
        index = torch.from_numpy(np.stack([group.atoms[name] for name in new], axis=1)).to(self.coords.device)
        each = len(self.coords) * self.surroundings.work(len(options.costs), len(new))
        for part in torch.arange(len(group.rows)).split(max(1, WORK // each)):
            atoms = {name: where[part.numpy()] for name, where in group.atoms.items()}
            built, strain = _built(self.coords, group.recipe, atoms, options)
            if len(options.costs) > 1:
                fixed = _fixed_chis(self.topology, self.known, group, part.numpy())
                costs = options.costs + strain + options.mismatch(self.coords, fixed)
                costs = costs + self.surroundings.clashes(self.coords, self.known, built, index[part])
                best = costs.argmin(-1)[:, :, None, None, None]
                built = torch.take_along_dim(built, best, dim=2)
            self.coords[:, index[part]] = built[:, :, 0]
        self.known[index.cpu().numpy().ravel()] = True


def _names(step: Step) -> Iterator[str]:
    yield from (step.atom, step.a, step.b, step.c)
    yield from (name for name, _ in step.closures)


def _part(group: _Group, chosen: Mask) -> _Group:
    atoms = {name: index[chosen] for name, index in group.atoms.items()}
    return _Group(group.residue, group.recipe, group.rows[chosen], atoms)


def _built(
    coords: Float[Tensor, "models atoms 3"], steps: Recipe, atoms: dict[str, Integers], options: Candidates
) -> tuple[Float[Tensor, "models residues candidates new 3"], Float[Tensor, "models residues candidates"] | float]:
    """Every candidate of every residue, step by step, and the cost of the bonds that it must close."""
    new = {step.atom for step in steps.steps}
    at = {name: coords[:, torch.from_numpy(i), None] for name, i in atoms.items() if name not in new}
    strain = 0.0
    for step in steps.steps:
        torsion = options.turns[:, step.turn] + step.torsion if step.turn >= 0 else step.torsion
        at[step.atom] = place(at[step.a], at[step.b], at[step.c], step.length, step.angle, torsion)
        for name, length in step.closures:
            strain = strain + CLOSURE_COST * ((at[step.atom] - at[name]).norm(dim=-1) - length).square()
    widest = (len(coords), len(next(iter(atoms.values()))), len(options.costs), 3)
    return torch.stack([at[step.atom].expand(widest) for step in steps.steps], dim=-2), strain


def _fixed_chis(topology: Topology, known: Mask, group: _Group, part: np.ndarray) -> dict[int, Integers]:
    """Atoms of the chis that the present atoms already decide, by chi number: `residues 4`."""
    open_chis = {turn.chi for turn in group.recipe.turns}
    fixed = {}
    for chi in chis_of(group.residue):
        index = np.stack([topology.atom_index(name)[group.rows[part]] for name in chi.atoms], axis=1)
        if chi.number not in open_chis and (index >= 0).all() and known[index].all():
            fixed[chi.number] = index
    return fixed


def _notes(topology: Topology, index: Integers, known: Mask) -> Iterator[Note]:
    """What was built and what could not be."""
    built, lost = index[known[index]], index[~known[index]]
    if len(built):
        yield Note("repaired", f"built {_counted(topology, built)}")
    if len(lost):
        yield Note("warning", f"could not build {_counted(topology, lost)}; too little of them is there")


def _counted(topology: Topology, atoms: Integers) -> str:
    rows = np.unique(topology.residue_of_atom[atoms]).tolist()
    labels = listed([topology.residue_label(row) for row in rows])
    things = "atom" if len(atoms) == 1 else "atoms"
    return f"{len(atoms)} missing heavy {things} of {len(rows)} residue{'s' * (len(rows) > 1)}: {labels}"
