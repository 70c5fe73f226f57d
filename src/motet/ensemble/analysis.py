"""Everything that is said of an ensemble, in one place: what the files and the report show."""

from dataclasses import dataclass

from .ensemble import Ensemble
from .observables import Observables, observe
from .sampling_quality import SamplingQuality, judge_sampling
from .soundness import Soundness, inspect_geometry
from .states import FreeEnergyMap, States, find_states, free_energy_map


@dataclass(frozen=True, eq=False)
class Analysis:
    """An ensemble, what was measured on it, the states it forms, and how well it was sampled."""

    ensemble: Ensemble
    observables: Observables
    states: States
    free_energy_map: FreeEnergyMap
    quality: SamplingQuality
    soundness: Soundness


def analyse(ensemble: Ensemble, seed: int = 0) -> Analysis:
    """Measure an ensemble, find its states and judge its sampling; `seed` starts clustering and bootstrap."""
    observables = observe(ensemble)
    return Analysis(
        ensemble=ensemble,
        observables=observables,
        states=find_states(ensemble, observables, seed=seed),
        free_energy_map=free_energy_map(ensemble, observables),
        quality=judge_sampling(ensemble, observables),
        soundness=inspect_geometry(ensemble.structure),
    )
