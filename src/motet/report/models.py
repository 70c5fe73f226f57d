"""What the 3-D view shows: the representative of each state whole, and a choice of conformations as backbones."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..ensemble import Analysis
from ..ensemble.exports import superposed_models, with_fluctuations
from ..io import suffix_for, write
from ..structure import Structure
from ..structure.topology import Mask, Topology
from .names import state_number
from .written import written

MOST_MODELS = 50
GRID = 0.01  # Å: how finely the places of backbones are kept
MOST_ATOMS = 80_000  # of all backbones together: keeps the page small and the view fluent


@dataclass(frozen=True)
class Model:
    """One structure as the text of a file.

    Args:
        name: File name.
        text: PDB, or mmCIF where chain names are too long for PDB; the B-factor column holds the RMSF in Å.
    """

    name: str
    text: str

    @property
    def format(self) -> str:
        """What Mol* calls the format."""
        return "mmcif" if self.name.endswith(".cif") else "pdb"


@dataclass(frozen=True)
class Members:
    """Conformations as backbones.

    Args:
        model: The first of them; all of them, where the format is mmCIF.
        moves: How far each atom of each conformation stands from where the first has it, in 0.01 Å,
            `models atoms 3` laid end to end: a quarter of the size of text. Empty where the format is mmCIF.
        conformations: Which conformations of the ensemble these are.
        states: State of each.
    """

    model: Model
    moves: tuple[int, ...]
    conformations: tuple[int, ...]
    states: tuple[int, ...]


@dataclass(frozen=True)
class Models:
    """The representative of each state, in the order of the states, and the conformations that can be played."""

    medoids: tuple[Model, ...]
    members: Members


def models(analysis: Analysis) -> Models:
    """The models to show, lying on each other."""
    fitted = replace(
        superposed_models(analysis),
        b_factors=with_fluctuations(analysis).b_factors,
        b_factor_meaning="B",
        notes=(),
    )
    medoids = tuple(
        as_model(f"state-{state_number(state.label)}", fitted.model(state.medoid))
        for state in analysis.states.states
    )
    return Models(medoids, _members(analysis, fitted.subset(_backbone(fitted.topology))))


def as_model(stem: str, structure: Structure) -> Model:
    """A structure as the text of the file that `io.write` makes of it."""
    name = f"{stem}{suffix_for(structure)}"
    return Model(name, written(name, lambda path: write(structure, path)).decode())


def chosen(analysis: Analysis, most: int) -> tuple[int, ...]:
    """About `most` conformations: every representative, and of each state its share, evenly along its members."""
    picked: set[int] = {state.medoid for state in analysis.states.states}
    spare = max(most - len(picked), 0)
    if len(analysis.ensemble) <= most:
        return tuple(range(len(analysis.ensemble)))
    for state in analysis.states.states:
        members = [i for i in state.members.tolist() if i != state.medoid]
        wanted = min(int(spare * state.population), len(members))
        places = torch.linspace(0, len(members) - 1, wanted).round().long().tolist() if wanted else []
        picked.update(members[i] for i in places)
    return tuple(sorted(picked))


def _members(analysis: Analysis, backbone: Structure) -> Members:
    conformations = chosen(analysis, min(MOST_MODELS, MOST_ATOMS // max(backbone.n_atoms, 1)))
    labels = analysis.states.labels.tolist()
    places = (backbone.coords[list(conformations)].double() / GRID).round()
    shown = backbone.with_coords(places * GRID)
    packs = suffix_for(backbone) == ".pdb"
    return Members(
        as_model("ensemble", shown.model(0) if packs else shown),
        tuple((places - places[0]).long().flatten().tolist()) if packs else (),
        conformations,
        tuple(labels[i] for i in conformations),
    )


def _backbone(topology: Topology) -> Mask:
    """Atoms that a ribbon is drawn through: backbone of proteins, heavy atoms of nucleic acids."""
    protein = topology.is_protein & np.isin(topology.atom_names, ("N", "CA", "C", "O"))
    nucleic = topology.residue_kinds[topology.residue_of_atom] == "nucleic"
    return protein | (nucleic & ~topology.is_hydrogen)
