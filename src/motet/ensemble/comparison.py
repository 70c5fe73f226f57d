"""How far one ensemble is from another: the earth mover's distance between their states."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..cluster import earth_movers
from ..errors import ConfigError, FormatError
from ..geometry import rmsd
from ..io import read
from ..structure import Structure
from .analysis import Analysis
from .observables import alpha_carbons

FEWEST = 10  # residues that both must have


@dataclass(frozen=True, eq=False)
class WeightedStates:
    """States as a comparison needs them.

    Args:
        representatives: One structure a state.
        populations: Their shares.
    """

    representatives: tuple[Structure, ...]
    populations: Float[Tensor, "states"]

    @classmethod
    def of(cls, analysis: Analysis) -> "WeightedStates":
        """The states of an analysis."""
        models = tuple(analysis.ensemble.structure.model(state.medoid) for state in analysis.states.states)
        return cls(models, torch.tensor([state.population for state in analysis.states.states]))

    @classmethod
    def read(cls, directory: Path) -> "WeightedStates":
        """The states that `motet ensemble` or `motet mine` wrote: states.csv and the representatives beside it.

        Raises:
            FormatError: They are not there.
        """
        table = directory / "states.csv"
        try:
            with table.open(newline="") as source:
                shares = {int(row["state"]): float(row["population"]) for row in csv.DictReader(source)}
        except (OSError, KeyError, ValueError) as error:
            raise FormatError(
                table, f"not a table of states ({error})", "name the results of a motet run"
            ) from None
        files = {label: next(iter(sorted(directory.glob(f"state-{label}.*"))), None) for label in shares}
        missing = [str(label) for label, file in files.items() if file is None]
        if missing or not shares:
            raise FormatError(
                directory, f"has no representative of state {', '.join(missing)}", "run the command again"
            )
        models = tuple(read(file) for file in files.values() if file is not None)
        return cls(models, torch.tensor(list(shares.values())))


@dataclass(frozen=True, eq=False)
class Comparison:
    """What it takes to turn one ensemble into another.

    Args:
        distance: Mean distance that population travels, in Å of Cα RMSD between representatives.
        plan: Population that goes from each state of the one to each of the other.
        rmsd: Cα RMSD between the representatives, in Å.
        residues: Residues that both have, on which the RMSD is measured.
    """

    distance: float
    plan: Float[Tensor, "states_of_one states_of_two"]
    rmsd: Float[Tensor, "states_of_one states_of_two"]
    residues: int


def compare_states(one: WeightedStates, two: WeightedStates) -> Comparison:
    """Earth mover's distance between the states of two ensembles of one protein, on the residues that both have.

    Residues are matched by number and name, in the order of the chains.

    Raises:
        ConfigError: They share fewer than ten residues.
    """
    first, second = (_points(side.representatives) for side in (one, two))
    common = [key for key in first[0] if key in set(second[0])]
    if len(common) < FEWEST:
        names = " and ".join(side.representatives[0].name for side in (one, two))
        raise ConfigError(
            f"{names} share {len(common)} residues by number and name; compare ensembles of one protein."
        )
    rows = [points[:, [keys.index(key) for key in common]].float() for keys, points in (first, second)]
    distances = rmsd(rows[0][:, None], rows[1][None])
    found = earth_movers(distances, one.populations.to(distances), two.populations.to(distances))
    return Comparison(found.distance, found.plan, distances, len(common))


def _points(models: tuple[Structure, ...]) -> tuple[list[str], Float[Tensor, "states residues 3"]]:
    """A key for each residue, and the Cα of all models."""
    topology = models[0].topology
    residues, carbons = alpha_carbons(topology)
    seen: dict[str, int] = {}
    keys = []
    for residue in np.asarray(residues).tolist():
        number = f"{topology.residue_numbers[residue]}{topology.insertion_codes[residue]}"
        key = f"{number} {topology.residue_names[residue]}"
        seen[key] = seen.get(key, 0) + 1  # the second chain of a dimer has the same numbers
        keys.append(f"{key} {seen[key]}")
    return keys, torch.stack([model.coords[carbons] for model in models])
