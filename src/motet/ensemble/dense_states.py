"""States of proposals that follow no law: dense regions, found again without a fifth of the models, or one state.

Predicted models are no sample of Boltzmann's law: many are junk strewn between the states, so that clusters which
must take every model would be clusters of junk. Here a model may belong to no state.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..cluster import DensityClusters, adjusted_rand, principal
from ..errors import ConfigError
from ..geometry import REPRESENTATIONS
from ..structure import Structure

AUTOMATIC = ("torsions", "distances", "contacts")  # a superposition smears what a fold that switches does
FEWEST = 20  # models among which dense regions can be told from chance
MOST = 3000  # models that the race sees; the others are placed afterwards


@dataclass(frozen=True)
class DenseTrial:
    """One way to look at the models, and what was seen.

    Args:
        representation: Name of the representation.
        components: Principal components that were clustered.
        states: Number of dense regions.
        unassigned: Share of the models in none of them.
        stability: Mean adjusted Rand index with the regions of random parts of the models.
    """

    representation: str
    components: int
    states: int
    unassigned: float
    stability: float


@dataclass(frozen=True, eq=False)
class DenseStates:
    """States of models, found without labels.

    Args:
        labels: State of each model, the largest first; -1 for a model in no dense region.
        firmness: How firmly each model belongs, 0 to 1.
        chosen: The trial that won; None when the answer is one state.
        trials: All trials.
        reason: Why there are so many states, in words.
    """

    labels: Int[Tensor, "models"]
    firmness: Float[Tensor, "models"]
    chosen: DenseTrial | None
    trials: tuple[DenseTrial, ...]
    reason: str


@dataclass(frozen=True)
class DenseStateFinder:
    """Settings of the search.

    Args:
        by: Name of a representation, or `auto`: torsions, distances and contacts race.
        smallest: Least share of the models that is a state; at least ten models, or a fifth of fewer than 50.
        components: Numbers of principal components to try.
        stable: Least stability of a trial that may win.
        parts: Random parts of the models that stability is measured on.
        kept: Share of the models in a part.
    """

    by: str = "auto"
    smallest: float = field(default=0.03, kw_only=True)
    components: tuple[int, ...] = field(default=(10, 20), kw_only=True)
    stable: float = field(default=0.8, kw_only=True)
    parts: int = field(default=10, kw_only=True)
    kept: float = field(default=0.8, kw_only=True)

    def __post_init__(self) -> None:
        if self.by != "auto" and self.by not in REPRESENTATIONS:
            raise ConfigError(f"--by {self.by}: choose auto, {', '.join(REPRESENTATIONS)}.")
        if not 0 < self.smallest <= 0.5 or not 0 < self.kept < 1 or self.parts < 2:
            raise ConfigError(f"a state of {self.smallest:g} of the models: the share must lie in 0 to 0.5.")

    @torch.no_grad()
    def find(self, structure: Structure, seed: int = 0) -> DenseStates:
        """The states of the models of a structure.

        Among the trials that are found again, the one with the fewest states wins, then the most stable.
        """
        count = structure.n_models
        if count < FEWEST:
            return _one_state(count, (), f"there are only {count} models, too few to tell states from chance")
        random = torch.Generator().manual_seed(seed)
        order = torch.randperm(count, generator=random)[:MOST].sort().values
        trials, views = [], []
        for name in AUTOMATIC if self.by == "auto" else (self.by,):
            rows = REPRESENTATIONS[name](structure.topology, structure.coords)
            for components in self.components:
                view, _ = principal(rows, components)
                if view.shape[1] < components and trials and trials[-1].representation == name:
                    continue
                trials.append(self._tried(name, view[order], random))
                views.append(view)
        good = [i for i, one in enumerate(trials) if one.states > 1 and one.stability >= self.stable]
        if not good:
            best = max((one.stability for one in trials if one.states > 1), default=0.0)
            reason = f"no split is found again in random parts of the models (stability {best:.2f} at best)"
            return _one_state(count, tuple(trials), reason if best else "the models form one dense region")
        won = min(good, key=lambda i: (trials[i].states, -trials[i].stability))
        model = DensityClusters(self._least(len(order))).fit(views[won][order])
        labels, firmness = torch.full((count,), -1), torch.zeros(count)
        labels[order], firmness[order] = model.labels, model.probabilities.float()
        rest = torch.ones(count, dtype=torch.bool)
        rest[order] = False
        labels[rest] = model.predict(views[won][rest])
        firmness[rest] = (labels[rest] >= 0).float()
        chosen = trials[won]
        reason = (
            f"{chosen.states} dense regions in {chosen.components} principal components of the "
            f"{chosen.representation} are found again in random parts of the models (adjusted Rand "
            f"{chosen.stability:.2f})"
        )
        return DenseStates(labels, firmness, chosen, tuple(trials), reason)

    def _tried(self, name: str, view: Tensor, random: torch.Generator) -> DenseTrial:
        least = self._least(len(view))
        labels = DensityClusters(least).fit(view).labels
        count = int(labels.max()) + 1
        agreement = []
        for _ in range(self.parts if count > 1 else 0):
            part = torch.randperm(len(view), generator=random)[: round(self.kept * len(view))]
            again = DensityClusters(max(2, round(self.kept * least))).fit(view[part]).labels
            agreement.append(adjusted_rand(labels[part], again))
        stability = sum(agreement) / len(agreement) if agreement else 0.0
        unassigned = float((labels < 0).double().mean())
        return DenseTrial(name, view.shape[1], max(count, 1), unassigned if count else 0.0, stability)

    def _least(self, count: int) -> int:
        return max(round(self.smallest * count), min(10, count // 5), 3)


def _one_state(count: int, trials: Sequence[DenseTrial], reason: str) -> DenseStates:
    return DenseStates(torch.zeros(count, dtype=torch.long), torch.ones(count), None, tuple(trials), reason)
