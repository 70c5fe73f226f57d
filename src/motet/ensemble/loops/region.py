"""Which residues of a structure a loop is, and the structure without it."""

import re
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...chem import BY_LETTER
from ...errors import LoopRegionError, MissingAtomsError
from ...geometry import dihedral
from ...geometry.loops import ATOMS, Gap, Room
from ...structure import Structure, Topology
from ...structure.assembly import rebonded

_RANGE = re.compile(r"^(?:(?P<chain>[^:]+):)?(?P<first>-?\d+)-(?P<last>-?\d+)$")


@dataclass(frozen=True, eq=False)
class Region:
    """A loop to be built.

    Args:
        structure: One conformation without the loop's atoms.
        before: Index in it of the residue before the loop; the next one comes after the loop.
        names: Residue names of the loop.
        numbers: Their numbers.
        codes: Their insertion codes.
    """

    structure: Structure
    before: int
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    codes: tuple[str, ...]

    @property
    def residues(self) -> range:
        """Indices of the loop's residues once they are there."""
        return range(self.before + 1, self.before + 1 + len(self.names))

    @property
    def surrounded(self) -> tuple[str, ...]:
        """Names of the residue before, the loop's, the one after, and the one after that."""
        names = self.structure.topology.residue_names.tolist()
        beyond = names[self.before + 2 : self.before + 3] or ["ALA"]
        return (names[self.before], *self.names, names[self.before + 1], *beyond)

    def gap(self) -> Gap:
        """The fixed ends, in double precision.

        Raises:
            MissingAtomsError: One of them lacks a backbone atom.
        """
        before = self._atoms(self.before, ("N", "CA", "C", "O"))
        after = self._atoms(self.before + 1, ("N", "CA", "C"))
        topology, psi = self.structure.topology, None
        beyond = self.before + 2
        if beyond < topology.n_residues and topology.follows[beyond]:
            n, ca, c = after.unbind(0)
            psi = float(dihedral(n, ca, c, self._atoms(beyond, ("N",))[0]))
        return Gap(self.surrounded[:-1], before, after, psi)

    def room(self, gap: Gap) -> Room:
        """The room that the rest of the structure leaves; side chains of the two fixed ends may give way."""
        topology = self.structure.topology
        near = (topology.residue_of_atom == self.before) | (topology.residue_of_atom == self.before + 1)
        rest = np.flatnonzero(~near & ~topology.is_hydrogen)
        atoms = self.structure.coords.double()[torch.from_numpy(rest)]
        return Room.of(gap, atoms, topology.elements[rest].tolist())

    def filled(self, atoms: Float[Tensor, "conformations residues 5 3"]) -> Structure:
        """The structure with the loop's N, CA, C, O and CB in many conformations."""
        topology = self.structure.topology
        chosen = [(r, a) for r, name in enumerate(self.names) for a in range(5) if a < 4 or name != "GLY"]
        rows, columns = (torch.tensor(index) for index in zip(*chosen, strict=True))
        split = int(topology.first_atoms[self.before + 1])
        coords = self.structure.coords.expand(len(atoms), -1, -1)
        new = atoms[:, rows, columns].to(coords)
        whole = replace(
            self.structure,
            topology=_inserted(topology, self, split, rows.numpy(), [ATOMS[a] for a in columns.tolist()]),
            coords=torch.cat((coords[:, :split], new, coords[:, split:]), dim=1),
            b_factors=_spliced(self.structure.b_factors, split, len(chosen), 0.0),
            occupancies=_spliced(self.structure.occupancies, split, len(chosen), 1.0),
        )
        touched = np.zeros(whole.n_atoms, dtype=bool)
        touched[split : split + len(chosen)] = True
        return rebonded(whole, touched)

    def _atoms(self, residue: int, names: tuple[str, ...]) -> Float[Tensor, "atoms 3"]:
        topology = self.structure.topology
        index = np.array([topology.atom_index(name)[residue] for name in names])
        if (index < 0).any():
            missing = tuple(name for name, at in zip(names, index, strict=True) if at < 0)
            raise MissingAtomsError(topology.residue_label(residue), missing, "the end of the loop")
        return self.structure.coords.double()[torch.from_numpy(index)]


def find_region(structure: Structure, residues: str, sequence: str | None = None) -> Region:
    """The loop that a text such as `A:12-23` names, taken out of one conformation where it is there.

    Args:
        structure: One conformation.
        residues: Chain and numbers, both ends included; the chain may be left out where there is one.
        sequence: One-letter codes of the loop: needed where it is missing, otherwise a check.

    Raises:
        LoopRegionError: The text cannot be read, names no loop, or does not fit the sequence.
    """
    match = _RANGE.match(residues.strip())
    if not match:
        raise LoopRegionError(residues, "cannot be read")
    first, last = int(match["first"]), int(match["last"])
    if last - first < 2:
        raise LoopRegionError(residues, "three residues are the least that can be closed")
    topology = structure.topology
    here = _of_chain(topology, residues, match["chain"])
    before, after = _neighbours(topology, residues, here, first, last)
    inside = np.arange(before + 1, after)
    names = _names(topology, residues, inside, sequence, last - first + 1)
    if len(inside):
        numbers = topology.residue_numbers[inside].tolist()
        codes = topology.insertion_codes[inside].tolist()
    else:
        numbers, codes = list(range(first, last + 1)), [""] * len(names)
    keep = ~np.isin(topology.residue_of_atom, inside)
    return Region(structure.subset(keep), before, names, tuple(numbers), tuple(codes))


def _of_chain(topology: Topology, text: str, chain: str | None) -> np.ndarray:
    """Indices of the protein residues of the chain that is meant."""
    protein = topology.residue_kinds == "protein"
    chains = topology.chain_ids[np.unique(topology.chain_of_residue[protein])].tolist()
    if chain is None and len(chains) != 1:
        raise LoopRegionError(text, f"does not say which chain of {', '.join(chains) or 'none'}")
    if chain is not None and chain not in chains:
        raise LoopRegionError(text, f"there is no protein chain {chain}, only {', '.join(chains) or 'none'}")
    wanted = chains[0] if chain is None else chain
    return np.flatnonzero(protein & (topology.chain_ids[topology.chain_of_residue] == wanted))


def _neighbours(topology: Topology, text: str, here: np.ndarray, first: int, last: int) -> tuple[int, int]:
    """The residues before and after the loop: bonded to it where it is there, else those around the break."""
    numbers = topology.residue_numbers[here]
    inside = here[(numbers >= first) & (numbers <= last)]
    if len(inside):
        before, after = int(inside[0]) - 1, int(inside[-1]) + 1
        whole = len(inside) == inside[-1] - inside[0] + 1 and topology.follows[inside[1:]].all()
        if not whole:
            raise LoopRegionError(text, "part of it is missing: name the missing residues alone, or the whole")
        joined = before in here and after in here and topology.follows[inside[0]] and topology.follows[after]
        if not joined:
            raise LoopRegionError(text, "it has no neighbours on both sides, so it is a tail and not a loop")
        return before, after
    earlier, later = here[numbers < first], here[numbers > last]
    if not len(earlier) or not len(later) or later[0] != earlier[-1] + 1:
        raise LoopRegionError(text, "the chain has no residues on both sides of it")
    return int(earlier[-1]), int(later[0])


def _names(topology: Topology, text: str, inside: np.ndarray, sequence: str | None, count: int) -> tuple[str, ...]:
    found = tuple(topology.residue_names[inside].tolist())
    if sequence is None:
        if not found:
            raise LoopRegionError(text, "it is missing from the structure, so its --sequence must be given")
        return found
    unknown = sorted({letter for letter in sequence.upper() if letter not in BY_LETTER})
    if unknown:
        raise LoopRegionError(text, f"the sequence has {', '.join(unknown)}, which stand for no residue")
    names = tuple(BY_LETTER[letter] for letter in sequence.upper())
    if len(names) != (len(found) or count):
        raise LoopRegionError(text, f"it has {len(found) or count} residues, and the sequence {len(names)}")
    return names


def _inserted(topology: Topology, region: Region, split: int, owner: np.ndarray, atoms: list[str]) -> Topology:
    """The topology with the loop's residues between two others; their bonds are still to be found."""
    at, count = region.before + 1, len(region.names)

    def spliced(values: np.ndarray, place: int, new: list) -> np.ndarray:
        return np.concatenate((values[:place], np.array(new), values[place:]))

    shifted = topology.residue_of_atom + count * (topology.residue_of_atom >= at)
    chain = int(topology.chain_of_residue[region.before])
    return replace(
        topology,
        atom_names=spliced(topology.atom_names, split, atoms),
        elements=spliced(topology.elements, split, [name[0] for name in atoms]),
        formal_charges=spliced(topology.formal_charges, split, [0] * len(atoms)),
        residue_of_atom=spliced(shifted, split, (owner + at).tolist()),
        residue_names=spliced(topology.residue_names, at, list(region.names)),
        residue_numbers=spliced(topology.residue_numbers, at, list(region.numbers)),
        insertion_codes=spliced(topology.insertion_codes, at, list(region.codes)),
        residue_kinds=spliced(topology.residue_kinds, at, ["protein"] * count),
        chain_of_residue=spliced(topology.chain_of_residue, at, [chain] * count),
        bonds=topology.bonds + len(atoms) * (topology.bonds >= split),
    )


def _spliced(values: Float[Tensor, "atoms"], place: int, count: int, new: float) -> Float[Tensor, "more"]:
    return torch.cat((values[:place], values.new_full((count,), new), values[place:]))
