"""Everything that is said of an ensemble, in one place: what the files and the report show."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from .ensemble import Ensemble
from .observables import Observables, observe
from .sampling_quality import SamplingQuality, judge_sampling
from .soundness import Soundness, inspect_geometry
from .states import FreeEnergyMap, States, find_states, free_energy_map, states_of_labels
from .transitions import Transition, find_transitions


@dataclass(frozen=True, eq=False)
class Analysis:
    """An ensemble, what was measured on it, its states, what moves between them, and how well it was sampled."""

    ensemble: Ensemble
    observables: Observables
    states: States
    transitions: tuple[Transition, ...]
    free_energy_map: FreeEnergyMap
    quality: SamplingQuality
    soundness: Soundness


def analyse(
    ensemble: Ensemble,
    seed: int = 0,
    labels: Int[Tensor, "conformations"] | None = None,
    reason: str = "",
) -> Analysis:
    """Measure an ensemble, find its states and judge its sampling.

    Args:
        ensemble: The conformations and their weights.
        seed: Starts of the clustering and draws of the bootstrap.
        labels: The state of each conformation, where it is known already; found, when left out.
        reason: Why those are the states, in words.
    """
    observables = observe(ensemble)
    if labels is None:
        states = find_states(ensemble, observables, seed=seed)
    else:
        random = torch.Generator().manual_seed(seed)
        states = states_of_labels(labels, ensemble, observables, random, reason=reason)
    return Analysis(
        ensemble=ensemble,
        observables=observables,
        states=states,
        transitions=find_transitions(ensemble, observables, states),
        free_energy_map=free_energy_map(ensemble, observables),
        quality=judge_sampling(ensemble, observables),
        soundness=inspect_geometry(ensemble.structure),
    )
