"""Make a file's structure ready for the force field, and say what was done to it."""

from collections import Counter

import numpy as np

from ..errors import NoProteinError
from ..structure import Note, Structure


def prepared(structure: Structure) -> Structure:
    """Complete heavy atoms, without waters and hydrogens; everything else stays, as obstacles that stand still.

    Hydrogens are placed by the force field where it needs them, so those of the file are left out, as are waters.
    Each step leaves a note.

    Raises:
        NoProteinError: There is no protein residue.
    """
    topology = structure.topology
    if not (topology.residue_kinds == "protein").any():
        raise NoProteinError(structure.name)
    water = (topology.residue_kinds == "water")[topology.residue_of_atom]
    hydrogen = topology.is_hydrogen
    notes = []
    if water.any():
        count = int((topology.residue_kinds == "water").sum())
        notes.append(
            Note("ignored", f"{_counted(count, 'water')} left out: the force field treats water implicitly.")
        )
    if (hydrogen & ~water).any():
        count = int((hydrogen & ~water).sum())
        notes.append(Note("ignored", f"{_counted(count, 'hydrogen')} left out: the force field places its own."))
    kept = structure.subset(~(water | hydrogen)) if notes else structure
    return kept.with_notes(*notes, *_obstacles(kept)).completed()


def _obstacles(structure: Structure) -> list[Note]:
    """What is there beside protein: it takes up room, and does not move."""
    topology = structure.topology
    return [
        Note(
            "kept", f"{_named(topology.residue_names[topology.residue_kinds == kind])}: {plural}, fixed obstacles."
        )
        for kind, plural in (("ligand", "ligands"), ("ion", "ions"), ("nucleic", "nucleotides"))
        if (topology.residue_kinds == kind).any()
    ]


def _named(names: np.ndarray) -> str:
    counts = Counter(names.tolist()).most_common()
    shown = ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts[:6])
    return shown + (f" and {len(counts) - 6} kinds more" if len(counts) > 6 else "")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"
