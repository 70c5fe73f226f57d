"""The clusters of an ensemble as a person wants them: representative, population, free energy."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..cluster import Choice, KMeans, choose_k, select
from ..errors import TooFewPointsError
from ..units import BOLTZMANN
from .ensemble import Ensemble
from .observables import Observables, alpha_carbons
from .soft_states import SoftModes, soft_modes

MOST_STATES = 8
BOOTSTRAP_DRAWS = 500
BLOCKS = 20  # resampled whole, so that neighbours in time count once
SEEN_MOTION = 0.9  # share of the variance that the clustered components must hold
FOLDS = 5  # parts of which each is held out once
STABLE = 0.8  # adjusted Rand index above which a number of states is found again


@dataclass(frozen=True, eq=False)
class State:
    """One state.

    Args:
        label: Number of the state, 0 for the most populated.
        population: Weighted share of the ensemble.
        population_error: Bootstrap standard error of the population.
        free_energy: -kT ln(population / largest population), in kcal/mol.
        free_energy_error: Bootstrap standard error of it; 0 for the most populated state by definition.
        medoid: Index of the conformation closest to all others of the state.
        members: Indices of its conformations.
        spread: Weighted mean Cα RMSD of the members to the medoid, in Å.
        modes: The directions along which the members spread; None for too few members.
    """

    label: int
    population: float
    population_error: float
    free_energy: float
    free_energy_error: float
    medoid: int
    members: Int[Tensor, "members"]
    spread: float
    modes: SoftModes | None = None


@dataclass(frozen=True, eq=False)
class States:
    """The states of an ensemble, most populated first.

    Args:
        labels: State of each conformation.
        states: The states.
        silhouette: Mean silhouette of the chosen number of states; None when the answer is one state.
        tried: Silhouette of each number of states that was tried.
        reason: Why there are so many, in words.
    """

    labels: Int[Tensor, "conformations"]
    states: tuple[State, ...]
    silhouette: float | None
    tried: dict[int, float]
    reason: str = ""

    def __len__(self) -> int:
        return len(self.states)


@dataclass(frozen=True, eq=False)
class FreeEnergyMap:
    """-kT ln p over the first two principal components, lowest bin at 0, NaN where nothing was seen.

    Args:
        x: Bin centres along the first component, in Å.
        y: Bin centres along the second component, in Å.
        values: Free energy, in kcal/mol.
    """

    x: Float[Tensor, "columns"]
    y: Float[Tensor, "rows"]
    values: Float[Tensor, "rows columns"]


def find_states(ensemble: Ensemble, observables: Observables, seed: int = 0) -> States:
    """States by k-means on the principal motions of the superposed Cα atoms.

    Clustering sees the leading components that hold 90 % of the variance. Whether there is more than one state is
    tested against a single Gaussian; how many there are is what predicts held-out conformations best among the
    numbers that are found again without a fifth of the conformations.

    Args:
        ensemble: The conformations and their weights.
        observables: What `observe` measured on them.
        seed: Starts of k-means and draws of the bootstrap.
    """
    random = torch.Generator().manual_seed(seed)
    points = _leading(observables)
    weights = ensemble.weights.to(points)
    choice = choose_k(points, range(2, MOST_STATES + 1), weights=weights, generator=random)
    labels, silhouette, reason = _numbered(choice, points, weights, random)
    return states_of_labels(labels, ensemble, observables, random, silhouette, choice.tried, reason)


def states_of_labels(
    labels: Int[Tensor, "conformations"],
    ensemble: Ensemble,
    observables: Observables,
    random: torch.Generator,
    silhouette: float | None = None,
    tried: dict[int, float] | None = None,
    reason: str = "",
) -> States:
    """The states of given clusters, most populated first; errors are from a block bootstrap.

    Stretches of a chain are drawn again with replacement, so that neighbours in time count once.

    Args:
        labels: Cluster of each conformation, from 0, none of them empty.
        ensemble: The conformations and their weights.
        observables: What `observe` measured on them.
        random: Draws of the bootstrap.
        silhouette: Mean silhouette of the clusters.
        tried: Silhouette of each number of clusters that was tried.
        reason: Why there are so many, in words.
    """
    labels = _by_population(labels, ensemble.weights)
    count = int(labels.max()) + 1
    draws = _bootstrap_populations(labels, ensemble, count, random)
    states = tuple(_state(label, labels, ensemble, observables, draws) for label in range(count))
    return States(labels, states, silhouette, tried or {}, reason)


def _numbered(
    choice: Choice, points: Tensor, weights: Tensor, random: torch.Generator
) -> tuple[Int[Tensor, "conformations"], float | None, str]:
    """Labels, their silhouette, and why there are so many."""
    count = len(points)
    if choice.k == 1 or count < 4 * FOLDS:
        return choice.model.labels, choice.silhouette, choice.reason
    numbers = [k for k in sorted(choice.tried) if k <= count // (2 * FOLDS)]
    race = [KMeans(k) for k in (1, *numbers)]
    try:
        found = select(points, race, weights=weights, folds=FOLDS, stable=STABLE, generator=random)
    except TooFewPointsError:  # a fold has fewer distinct points than clusters
        return choice.model.labels, choice.silhouette, choice.reason
    k = found.best.k
    steady = {trial.candidate.k: trial.stability for trial in found.trials}
    if k == 1:
        return (
            torch.zeros_like(choice.model.labels),
            None,
            "held-out conformations are predicted as well by one state",
        )
    model = choice.model if k == choice.k else KMeans(k).fit(points, weights=weights, generator=random)
    reason = (
        f"{k} states predict held-out conformations best among the numbers that are found again (adjusted Rand "
    )
    return model.labels, choice.tried[k], f"{reason}{steady[k]:.2f} without a fifth of the conformations)"


def _leading(observables: Observables) -> Float[Tensor, "conformations components"]:
    """Projections on as many components as hold nine tenths of the variance that is kept."""
    explained = observables.principal.explained.double()
    enough = torch.cumsum(explained, 0) >= SEEN_MOTION * explained.sum()
    return observables.principal.projections[:, : int(enough.long().argmax()) + 1]


def _by_population(labels: Tensor, weights: Tensor) -> Tensor:
    """The same clusters, numbered from the most populated."""
    population = torch.zeros(int(labels.max()) + 1, dtype=torch.float64).index_add_(0, labels, weights.double())
    order = population.argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    return rank[labels]


def _bootstrap_populations(
    labels: Tensor, ensemble: Ensemble, count: int, random: torch.Generator
) -> Float[Tensor, "draws states"]:
    """Populations of the states in resampled ensembles."""
    block = _blocks(ensemble)
    blocks = int(block.max()) + 1
    by_block = torch.zeros(blocks, count, dtype=torch.float64)
    by_block.index_put_((block, labels), ensemble.weights.double(), accumulate=True)
    drawn = torch.randint(blocks, (BOOTSTRAP_DRAWS, blocks), generator=random)
    populations = by_block[drawn].sum(1)
    return populations / populations.sum(-1, keepdim=True)


def _blocks(ensemble: Ensemble) -> Int[Tensor, "conformations"]:
    """A block for each conformation: whole chains when there are enough of them, else stretches of each chain."""
    chains, replica = ensemble.replica.unique(return_inverse=True)
    pieces = max(1, -(-BLOCKS // len(chains)))
    order = torch.zeros(len(replica), dtype=torch.long)
    for chain in range(len(chains)):
        mine = (replica == chain).nonzero().squeeze(-1)
        order[mine] = torch.arange(len(mine)) * pieces // len(mine)
    return (replica * pieces + order).unique(return_inverse=True)[1]


def _state(label: int, labels: Tensor, ensemble: Ensemble, observables: Observables, draws: Tensor) -> State:
    members = (labels == label).nonzero().squeeze(-1)
    among = observables.pairwise_rmsd[members][:, members]
    weights = ensemble.weights[members].to(among)
    medoid = int((among @ weights).argmin())
    thermal = BOLTZMANN * ensemble.provenance.temperature
    total = [float(ensemble.weights[labels == one].sum()) for one in (label, 0)]
    seen = (draws[:, label] > 0) & (draws[:, 0] > 0)
    energies = -thermal * (draws[seen, label] / draws[seen, 0]).log()
    _, carbons = alpha_carbons(ensemble.structure.topology)
    modes = soft_modes(ensemble.coords[members][:, carbons.to(ensemble.coords.device)], weights, label)
    return State(
        label=label,
        population=total[0],
        population_error=float(draws[:, label].std()),
        free_energy=-thermal * float(torch.tensor(total[0] / total[1]).log()) + 0.0,
        free_energy_error=float(energies.std()) if label and len(energies) > 1 else 0.0,
        medoid=int(members[medoid]),
        members=members,
        spread=float((among[medoid] * weights).sum() / weights.sum()),
        modes=modes,
    )


def free_energy_map(ensemble: Ensemble, observables: Observables, bins: int = 40) -> FreeEnergyMap:
    """-kT ln p over two principal components, p smoothed by a Gaussian of Scott's width.

    Bins where the smoothed sample holds less than a hundredth of one conformation are left empty.
    """
    projections = observables.principal.projections
    points = torch.zeros(len(projections), 2, dtype=torch.float64)
    points[:, : min(2, projections.shape[1])] = projections[:, :2].double()
    weights = ensemble.weights.double()
    width = (points.std(0, correction=0) * len(points) ** (-1 / 6)).clamp_min(1e-3)
    low, high = points.amin(0) - 2 * width, points.amax(0) + 2 * width
    x, y = (torch.linspace(float(low[i]), float(high[i]), bins, dtype=torch.float64) for i in range(2))
    near = [torch.exp(-0.5 * ((axis[:, None] - points[:, i]) / width[i]) ** 2) for i, axis in enumerate((x, y))]
    density = torch.einsum("xn,yn,n->yx", near[0], near[1], weights)
    values = -BOLTZMANN * ensemble.provenance.temperature * (density / density.max()).log()
    values = torch.where(density * len(points) < 0.01, torch.nan, values)
    return FreeEnergyMap(x.float(), y.float(), values.float())
