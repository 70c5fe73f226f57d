"""What motet cannot work on at all is refused here, in one line that says what to give instead."""

import numpy as np

from ..errors import FormatError
from ..structure import Topology
from .atom_table import Floats
from .notebook import Notebook

POINT = 0.01  # Å; a structure that is no larger is a point


def refuse_hopeless(topology: Topology, coords: Floats, source: str, notes: Notebook) -> None:
    """Raise unless there is a protein with more than its trace.

    A file with several models passes without one, with a warning: it is a bundle whose atoms can be followed even
    where no term of the force field applies.

    Raises:
        FormatError: One atom, one point, hydrogens alone, no protein, no Cα, or Cα alone.
    """
    one = coords if coords.ndim == 2 else coords[0]
    if topology.n_atoms < 2:
        raise FormatError(source, "holds a single atom", "give a protein with its backbone")
    if np.ptp(one, axis=0).max() < POINT:
        raise FormatError(source, "has all its atoms at one point", "give a structure with coordinates")
    if topology.is_hydrogen.all():
        raise FormatError(source, "holds hydrogens alone", "give a structure with its heavy atoms")
    reason = _no_protein(topology)
    if reason is None or (coords.ndim == 3 and reason[0] in ("holds water alone", "has no Cα atom")):
        if reason:
            notes.add(
                "warning", f"the file {reason[0]}: read as a bundle of models, nothing more can be done with it."
            )
        return
    raise FormatError(source, *reason)


def _no_protein(topology: Topology) -> tuple[str, str] | None:
    """Why this is no protein with a backbone, and what to do."""
    kinds = set(topology.residue_kinds.tolist())
    if "protein" not in kinds:
        what = {"nucleic": "nucleic acid", "water": "water", "ion": "ions", "ligand": "small molecules"}
        named = [what[kind] for kind in ("nucleic", "ligand", "ion", "water") if kind in kinds]
        return f"holds {' and '.join(named)} alone", "give a file with a protein chain"
    protein = topology.is_protein & ~topology.is_hydrogen
    names = topology.atom_names[protein]
    if not len(names):
        return "holds hydrogens alone where it has protein", "give a structure with its heavy atoms"
    if (names == "CA").all():
        return "holds Cα atoms alone", "rebuild the full backbone first, for example with PULCHRA"
    if not (names == "CA").any():
        return "has no Cα atom", "give a structure with a complete backbone"
    return None
