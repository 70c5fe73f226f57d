"""Read and prepare an input, telling the person what was done to it."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..structure import Note, Structure
from .batch import STDIN
from .console import note

if TYPE_CHECKING:
    from ..forcefield import Conditions, System

MOST_NOTES = 12


def load_prepared(path: Path, device: str, stretched: bool = False) -> Structure:
    """The structure of a file, complete and ready for the force field; its notes are printed.

    With `stretched`, residues with consecutive numbers are bonded also where their C and N no longer touch.
    """
    from ..ensemble import prepared
    from ..io import read
    from ..structure import with_peptides_joined

    found = read(path if path != STDIN else "-")
    structure = prepared(with_peptides_joined(found) if stretched else found)
    print_notes(structure.notes)
    return structure.to(device)


def conditions_of(temperature: float, salt_mm: float, ph: float) -> "Conditions":
    """What an energy depends on, from what a person gives: K, mM, pH.

    Raises:
        ConfigError: One of them is out of range.
    """
    from ..forcefield import Conditions

    return Conditions(temperature=temperature, ionic_strength=salt_mm / 1000.0, ph=ph)


def bound(loaded: Structure, device: str, temperature: float, salt: float, ph: float) -> "System":
    """The default force field on a structure; salt in mM."""
    from ..forcefield import ForceField

    found = conditions_of(temperature, salt, ph)
    return ForceField().to(device).bind(loaded, found.temperature, found.ionic_strength, found.ph)


def first_model(loaded: Structure) -> Structure:
    """The model that a run starts from, with a note of the others."""
    if loaded.n_models == 1:
        return loaded.model(0)
    others = Note("ignored", f"of {loaded.n_models} models the run starts from the first.")
    print_notes((others,))
    return loaded.model(0).with_notes(others)


def print_notes(notes: tuple[Note, ...]) -> None:
    """The notes, on stderr; many of them are cut short."""
    for one in notes[:MOST_NOTES]:
        note(one.kind, one.text)
    if len(notes) > MOST_NOTES:
        note("ignored", f"{len(notes) - MOST_NOTES} further notes; `motet info` shows them all.")
