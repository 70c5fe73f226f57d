"""From members to their ensemble: fold each, relax all, find states, weigh; resumable after every member."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...fold.structures import topology_of
from ...geometry import rmsd
from ...structure import Structure
from ..analysis import Analysis, analyse
from ..ensemble import Ensemble, Provenance
from ..movable import Movable
from ..preparation import prepared
from ..production import Memory, Rounds
from ..relax import relax
from .member import Folder, Member, Sampled
from .switching import Switches, find_switches
from .weighing import Weighing, weigh

GENERATOR = "alphafold2"
_TOGETHER = 16  # members relaxed in one batch


@runtime_checkable
class Binds(Protocol):
    """Makes the energy of a structure: the caller's force field."""

    def __call__(self, structure: Structure) -> Movable:
        """The energy of one structure."""
        ...


@dataclass(frozen=True, eq=False)
class FoldedEnsemble:
    """Predictions as an ensemble, and what they were.

    Args:
        analysis: The ensemble of relaxed models, its observables and states.
        members: What the network was shown for each.
        sampled: What it predicted.
        moved: How far relaxation moved each model, in Å.
        weighing: Weights, or why there are none.
        switches: Pairs of residues that tell the states apart; None for one state.
    """

    analysis: Analysis
    members: tuple[Member, ...]
    sampled: tuple[Sampled, ...]
    moved: Float[Tensor, "members"]
    weighing: Weighing
    switches: Switches | None

    @property
    def labels(self) -> Int[Tensor, "members"]:
        """State of each member."""
        return self.analysis.states.labels


def fold_members(
    folder: Folder,
    members: Sequence[Member],
    rounds: Rounds | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Sampled, ...]:
    """The prediction of every member; those that `rounds` holds are not made again."""
    rounds = rounds or Memory()
    for index in range(rounds.open(), len(members)):
        rounds.write(index, dict(vars(folder.sampled(members[index]))))
        if progress:
            progress(index + 1, len(members))
    return tuple(Sampled(**rounds.read(index)) for index in range(len(members)))


def ensemble_of(
    folder: Folder,
    members: Sequence[Member],
    sampled: Sequence[Sampled],
    bind: Binds,
    *,
    name: str,
    temperature: float,
    relax_steps: int = 60,
    seed: int = 0,
) -> FoldedEnsemble:
    """Relax what was predicted, find the states, and weigh them where that can be trusted."""
    structure = prepared(models_of(folder.alignment.query, sampled, name))
    system = bind(structure.model(0))
    raw = structure.coords
    relaxed = [relax(system, part, relax_steps) if relax_steps else part for part in raw.split(_TOGETHER)]
    coords = torch.cat(relaxed)
    system.forget()
    with torch.no_grad():
        energies = torch.cat([system.terms(part) for part in coords.split(_TOGETHER)]).float().cpu()
    equal = Ensemble(
        structure.with_coords(coords.cpu()),
        weights=torch.full((len(members),), 1 / len(members)),
        energy_terms=system.names,
        energies=energies,
        replica=torch.arange(len(members)),
        step=torch.zeros(len(members), dtype=torch.long),
        provenance=_provenance(members, temperature, relax_steps, seed),
    )
    analysis = analyse(equal, seed)
    components = analysis.observables.principal.projections[:, :4]
    weighing = weigh(equal.total_energies, components, analysis.states.labels, temperature)
    if not weighing.refused:
        analysis = analyse(equal.with_weights(weighing.weights.float(), "reweighted"), seed)
    labels = analysis.states.labels
    switches = find_switches(torch.stack([one.distogram for one in sampled]), labels, weighing.weights)
    moved = rmsd(coords, raw).cpu()
    return FoldedEnsemble(analysis, tuple(members), tuple(sampled), moved, weighing, switches)


def models_of(query: str, sampled: Sequence[Sampled], name: str) -> Structure:
    """Predictions as models of one structure; B factors hold the mean pLDDT."""
    coords = torch.stack([one.coords for one in sampled])
    topology = topology_of(query, coords[0].double().numpy())
    mean = torch.stack([one.plddt for one in sampled]).mean(0)
    values = mean[torch.from_numpy(topology.residue_of_atom.copy())]
    occupancies = torch.ones(topology.n_atoms)
    return Structure(topology, coords, values, occupancies, b_factor_meaning="pLDDT", name=name)


def _provenance(members: Sequence[Member], temperature: float, relax_steps: int, seed: int) -> Provenance:
    kinds = sorted({member.perturbation for member in members})
    counts = {f"members_{kind}": sum(one.perturbation == kind for one in members) for kind in kinds}
    controls = sum(one.control for one in members)
    settings = {**counts, "controls": controls, "relax_steps": relax_steps}
    return Provenance(GENERATOR, temperature, seed, "given", settings)
