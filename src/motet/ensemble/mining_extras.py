"""What can be asked of mined states beyond themselves: relaxed representatives, a path, a comparison."""

from pathlib import Path
from typing import Any

from ..forcefield import ForceField
from ..io import suffix_for, write, write_trajectory
from ..structure import Structure
from .analysis import Analysis
from .comparison import WeightedStates, compare_states
from .minimise import minimise
from .mining import Mined
from .paths import path_between
from .preparation import prepared


def relaxed(mined: Mined, directory: Path, steps: int) -> list[dict[str, Any]]:
    """Each representative with its side chains built, minimised, and written beside it; energies in kcal/mol."""
    told = []
    for label, model in enumerate(_completed(mined)):
        system = ForceField().bind(model)
        found = minimise(system, model.coords, mobile=system.mobile, max_steps=steps)
        moved = model.with_coords(found.coords)
        write(moved, directory / "states" / f"relaxed-{label}{suffix_for(moved)}", overwrite=True)
        before, after = (float(system(coords)) for coords in (model.coords, found.coords))
        told.append({"state": label, "energy_before": before, "energy": after})
    return told


def path_of(mined: Mined, directory: Path, frames: int) -> dict[str, Any]:
    """A closed path between the representatives of the first two states: `path.pdb` and `path.xtc`."""
    start, end = _completed(mined)[:2]
    path = path_between(start, end, ForceField().bind(start), frames)
    models = path.structure
    write(models, directory / f"path{suffix_for(models)}", overwrite=True)
    write_trajectory(directory / "path.xtc", path.coords, overwrite=True)
    return {"frames": len(path.energies), "barrier": path.barrier, "energies": path.energies.tolist()}


def compared(analysis: Analysis, other: Path) -> dict[str, Any]:
    """The earth mover's distance to the states of another run."""
    found = compare_states(WeightedStates.of(analysis), WeightedStates.read(other))
    return {
        "with": str(other),
        "earth_movers_distance": found.distance,
        "residues": found.residues,
        "rmsd": [[round(value, 3) for value in row] for row in found.rmsd.tolist()],
        "plan": [[round(value, 4) for value in row] for row in found.plan.tolist()],
    }


def _completed(mined: Mined) -> list[Structure]:
    """Representatives ready for the force field."""
    ensemble = mined.analysis.ensemble.structure
    return [prepared(ensemble.model(state.medoid)) for state in mined.analysis.states.states]
