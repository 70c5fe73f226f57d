"""What an ensemble says that one structure cannot: fluctuations, contacts that come and go, principal motions."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import MissingAtomsError
from ..geometry import neighbour_pairs, pairwise_rmsd, rmsd, superposed_to_mean
from ..structure import Topology
from .ensemble import Ensemble

CONTACT_DISTANCE = 4.5  # Å between heavy atoms
CONTACT_SEPARATION = 3  # residues along the chain


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs of residues that touch in some conformation, and how often, weighted."""

    pairs: Int[Tensor, "contacts 2"]
    occupancy: Float[Tensor, "contacts"]


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Principal motions of the Cα atoms.

    Args:
        projections: Each conformation along each component, in Å.
        variances: Variance along each component, in Å², largest first.
        components: Unit displacement of each Cα, `components residues 3`.
        explained: Share of the total variance of each component.
    """

    projections: Float[Tensor, "conformations components"]
    variances: Float[Tensor, "components"]
    components: Float[Tensor, "components residues 3"]
    explained: Float[Tensor, "components"]


@dataclass(frozen=True, eq=False)
class Observables:
    """Everything measured on one ensemble; `residues` are the protein residues that have a Cα.

    Args:
        residue_index: Index in the topology of each such residue.
        residue_labels: How a person names it, `A:LEU14`.
        rmsf: Root mean square fluctuation of each Cα about the mean structure, in Å.
        radius_of_gyration: Of each conformation's Cα atoms, in Å.
        rmsd_to_first: Cα RMSD of each conformation to the first, in Å.
        pairwise_rmsd: Cα RMSD between conformations, in Å.
        contacts: Contacts and their occupancy; `pairs` count these residues.
        principal: Principal motions.
    """

    residue_index: Int[Tensor, "residues"]
    residue_labels: tuple[str, ...]
    rmsf: Float[Tensor, "residues"]
    radius_of_gyration: Float[Tensor, "conformations"]
    rmsd_to_first: Float[Tensor, "conformations"]
    pairwise_rmsd: Float[Tensor, "conformations conformations"]
    contacts: Contacts
    principal: PrincipalComponents


def observe(ensemble: Ensemble) -> Observables:
    """Measure an ensemble.

    Raises:
        MissingAtomsError: No residue has a Cα.
    """
    residues, atoms = alpha_carbons(ensemble.structure.topology)
    points = ensemble.coords.index_select(-2, atoms.to(ensemble.coords.device))
    topology, weights = ensemble.structure.topology, ensemble.weights.to(points)
    fitted, mean = superposed_to_mean(points, frame_weights=weights)
    return Observables(
        residue_index=residues,
        residue_labels=tuple(topology.residue_label(int(residue)) for residue in residues),
        rmsf=_rmsf(fitted, mean, weights),
        radius_of_gyration=radius_of_gyration(points),
        rmsd_to_first=rmsd(points, points[:1].expand_as(points)),
        pairwise_rmsd=pairwise_rmsd(points),
        contacts=contact_occupancy(ensemble, residues),
        principal=principal_components(fitted, mean, weights),
    )


def alpha_carbons(topology: Topology) -> tuple[Int[Tensor, "residues"], Int[Tensor, "residues"]]:
    """Protein residues that have a Cα, and the index of that atom.

    Raises:
        MissingAtomsError: There is none.
    """
    found = topology.atom_index("CA")
    residues = np.flatnonzero((found >= 0) & (topology.residue_kinds == "protein"))
    if not len(residues):
        raise MissingAtomsError("every residue", ("CA",), "a backbone observable")
    return torch.from_numpy(residues), torch.from_numpy(found[residues])


def radius_of_gyration(points: Float[Tensor, "*batch points 3"]) -> Float[Tensor, "*batch"]:
    """Root mean square distance from the centroid, in Å."""
    return (points - points.mean(-2, keepdim=True)).square().sum(-1).mean(-1).sqrt()


def _rmsf(
    fitted: Float[Tensor, "conformations residues 3"],
    mean: Float[Tensor, "residues 3"],
    weights: Float[Tensor, "conformations"],
) -> Float[Tensor, "residues"]:
    return (weights[:, None] * (fitted - mean).square().sum(-1)).sum(0).sqrt()


def principal_components(
    fitted: Float[Tensor, "conformations residues 3"],
    mean: Float[Tensor, "residues 3"],
    weights: Float[Tensor, "conformations"],
    count: int = 10,
) -> PrincipalComponents:
    """Principal components of superposed conformations; the sign makes each component's largest entry positive."""
    centred = (fitted - mean).flatten(1)
    # Fewer conformations than coordinates: the Gram matrix is the small one.
    scaled = (weights.sqrt()[:, None] * centred).double()
    _, singular, directions = torch.linalg.svd(scaled, full_matrices=False)
    kept = min(count, len(singular))
    directions = directions[:kept]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    directions = (directions * torch.where(largest < 0, -1.0, 1.0)).to(fitted.dtype)
    variances = singular.square()
    total = variances.sum().clamp_min(torch.finfo(variances.dtype).tiny)
    return PrincipalComponents(
        projections=centred @ directions.T,
        variances=variances[:kept].to(fitted.dtype),
        components=directions.unflatten(1, (-1, 3)),
        explained=(variances[:kept] / total).to(fitted.dtype),
    )


def contact_occupancy(ensemble: Ensemble, residues: Int[Tensor, "residues"]) -> Contacts:
    """Weighted share of conformations in which heavy atoms of two residues come within 4.5 Å."""
    topology = ensemble.structure.topology
    rank = np.full(topology.n_residues, -1, dtype=np.int64)
    rank[residues.numpy()] = np.arange(len(residues))
    rank_of_atom = rank[topology.residue_of_atom]
    atoms = torch.from_numpy(np.flatnonzero((rank_of_atom >= 0) & ~topology.is_hydrogen))
    owner = torch.from_numpy(rank_of_atom)[atoms]
    occupancy = torch.zeros(len(residues) ** 2, dtype=torch.float64)
    for coords, weight in zip(ensemble.coords.cpu()[:, atoms], ensemble.weights.cpu(), strict=True):
        pairs = owner[neighbour_pairs(coords, CONTACT_DISTANCE)].sort(dim=0).values
        apart = pairs[1] - pairs[0] >= CONTACT_SEPARATION
        occupancy[(pairs[0] * len(residues) + pairs[1])[apart].unique()] += weight
    touched = occupancy.nonzero().squeeze(-1)
    pairs = torch.stack((touched // len(residues), touched % len(residues)), dim=-1)
    return Contacts(pairs, occupancy[touched].float())
