"""Conformations as rows of numbers, so that any estimator of `motet.cluster` can work on them.

Which one suits depends on what moves: rigid domains show in distances, a fold that switches in torsions or
contacts, small motions about one shape in superposed atoms.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, MissingAtomsError
from ..structure import Topology
from .backbone import backbone_torsions
from .superpose import superposed_to_mean

Conformations: TypeAlias = Float[Tensor, "conformations atoms 3"]  # Å
Rows: TypeAlias = Float[Tensor, "conformations dims"]


@runtime_checkable
class Representation(Protocol):
    """Turns conformations of one topology into rows whose Euclidean distance says how unlike they are."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    def __call__(self, topology: Topology, coords: Conformations) -> Rows:
        """One row a conformation."""
        ...


@dataclass(frozen=True)
class SuperposedCarbons:
    """Cα coordinates after superposition on the weighted mean, divided by √residues: distance is RMSD, in Å.

    One superposition serves all conformations, so large motions of domains are smeared; `cluster.Superposing`
    aligns anew for each cluster.
    """

    name: str = field(default="superposed", init=False)

    def __call__(self, topology: Topology, coords: Conformations) -> Rows:
        """One row a conformation, in Å."""
        points = coords.index_select(-2, _carbons(topology, coords))
        fitted, mean = superposed_to_mean(points)
        return (fitted - mean).flatten(1) / math.sqrt(points.shape[1])


@dataclass(frozen=True)
class BackboneCircle:
    """Sine and cosine of every φ and ψ, divided by √angles: no superposition, and no edge at ±180°."""

    name: str = field(default="torsions", init=False)

    def __call__(self, topology: Topology, coords: Conformations) -> Rows:
        """One row a conformation, without unit.

        Raises:
            MissingAtomsError: No φ or ψ has its four atoms.
        """
        phi, psi, _, exists = backbone_torsions(topology, coords)
        angles = torch.cat((phi[..., exists[:, 0]], psi[..., exists[:, 1]]), dim=-1)
        if not angles.shape[-1]:
            raise MissingAtomsError("every residue", ("N", "C"), "backbone torsions")
        return torch.cat((angles.sin(), angles.cos()), dim=-1) / math.sqrt(angles.shape[-1])


@dataclass(frozen=True)
class CarbonDistances:
    """Distances between Cα atoms three or more residues apart, divided by √pairs.

    Args:
        most: Most pairs; of a longer chain every second, third … residue is taken.
        reach: Distance, in Å, beyond which a pair hardly counts: d becomes reach·tanh(d / reach), so that what is
            far apart is merely «apart». None leaves distances as they are.
    """

    most: int = field(default=5000, kw_only=True)
    reach: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.most < 1 or (self.reach is not None and not self.reach > 0):
            raise ConfigError(f"distances need at least one pair, not {self.most}, and a reach above 0.")

    @property
    def name(self) -> str:
        """Its name on the command line."""
        return "distances" if self.reach is None else "contacts"

    def __call__(self, topology: Topology, coords: Conformations) -> Rows:
        """One row a conformation, in Å."""
        atoms = _carbons(topology, coords)
        stride = max(1, math.ceil(len(atoms) / math.sqrt(2 * self.most)))
        points = coords.index_select(-2, atoms[::stride])
        apart = math.ceil(3 / stride)
        i, j = torch.triu_indices(points.shape[1], points.shape[1], apart, device=coords.device)
        distances = (points[:, i] - points[:, j]).norm(dim=-1)
        if self.reach is not None:
            distances = self.reach * torch.tanh(distances / self.reach)
        return distances / math.sqrt(max(distances.shape[1], 1))


REPRESENTATIONS: dict[str, Representation] = {
    one.name: one
    for one in (SuperposedCarbons(), BackboneCircle(), CarbonDistances(), CarbonDistances(reach=12.0))
}


def _carbons(topology: Topology, coords: Tensor) -> Int[Tensor, "residues"]:
    """Cα of the protein residues that have one.

    Raises:
        MissingAtomsError: There is none.
    """
    found = topology.backbone[:, 1]
    found = found[found >= 0]
    if not len(found):
        raise MissingAtomsError("every residue", ("CA",), "a comparison of conformations")
    return torch.from_numpy(np.ascontiguousarray(found)).to(coords.device)
