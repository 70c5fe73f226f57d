"""From predicted models to states: sound models, dense regions, what moves, and the alignment rows behind."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..io import Alignment, Predictions
from ..structure import Note
from ..units import ROOM_TEMPERATURE
from .alignment_enrichment import Enrichment, enriched_rows
from .analysis import Analysis, analyse
from .dense_states import DenseStateFinder, DenseStates
from .ensemble import Ensemble, Provenance
from .model_check import ModelCheck, check_models

GENERATOR = "predictions"
LOOSE = 4.0  # Å: mean RMSD of a state's models to its representative from which it is hardly one shape


@dataclass(frozen=True, eq=False)
class Mined:
    """What a set of predicted models holds.

    Args:
        predictions: All models that were read.
        check: Which of them are broken or clash.
        dense: States of the sound models, in their order.
        assigned: Indices of the models that have a state, among all.
        analysis: The ensemble of those models: each counts the same, so populations are frequencies of proposals.
        confidence: Mean pLDDT of the models of each state; None where the files hold none.
        unassigned_confidence: Mean pLDDT of the sound models without a state; None where there are none.
        enrichment: Alignment rows that go with a state; None without alignments.
        notes: What was left out.
    """

    predictions: Predictions
    check: ModelCheck
    dense: DenseStates
    assigned: Tensor
    analysis: Analysis
    confidence: Float[Tensor, "states"] | None
    unassigned_confidence: float | None
    enrichment: Enrichment | None
    notes: tuple[Note, ...]

    @property
    def state_of_model(self) -> list[str]:
        """State of every model that was read, or why it has none: `broken`, `clashing` or `unassigned`."""
        found = ["unassigned"] * len(self.predictions)
        for i in self.check.clashing.nonzero().squeeze(-1).tolist():
            found[i] = "clashing"
        for i in self.check.broken.nonzero().squeeze(-1).tolist():
            found[i] = "broken"
        for i, label in zip(self.assigned.tolist(), self.analysis.states.labels.tolist(), strict=True):
            found[i] = str(label)
        return found


def mine(
    predictions: Predictions,
    alignments: Mapping[str, Alignment] | None = None,
    finder: DenseStateFinder | None = None,
    seed: int = 0,
    dense: DenseStates | None = None,
) -> Mined:
    """The states of predicted models, found without labels and without a look at their confidence.

    Args:
        predictions: The models.
        alignments: The alignment of each model that has one.
        finder: How states are searched.
        seed: Random parts of the models, and draws of the bootstrap.
        dense: States of the sound models, where an earlier run has found them.

    Raises:
        ConfigError: No model is sound.
    """
    check = check_models(predictions.structure)
    sound = check.sound.nonzero().squeeze(-1)
    if not len(sound):
        raise ConfigError(f"{predictions.structure.name}: every model is broken or clashes; relax them first.")
    kept = predictions.chosen(sound)
    dense = dense or (finder or DenseStateFinder()).find(kept.structure, seed)
    inside = (dense.labels >= 0).nonzero().squeeze(-1)
    analysis = analyse(_ensemble(kept.chosen(inside), dense, seed), seed, dense.labels[inside], dense.reason)
    labels = torch.full((len(predictions),), -1)
    labels[sound[inside]] = analysis.states.labels
    confidence, loose = _confidences(predictions, labels, sound, len(analysis.states))
    return Mined(
        predictions=predictions,
        check=check,
        dense=dense,
        assigned=sound[inside],
        analysis=analysis,
        confidence=confidence,
        unassigned_confidence=loose,
        enrichment=enriched_rows(predictions.names, labels, alignments) if alignments else None,
        notes=(*predictions.notes, *_notes(check, dense), *_loose(analysis)),
    )


def _ensemble(predictions: Predictions, dense: DenseStates, seed: int) -> Ensemble:
    count = len(predictions)
    settings: dict[str, float | int | str] = {"models": count}
    if dense.chosen is not None:
        settings |= {"representation": dense.chosen.representation, "components": dense.chosen.components}
    return Ensemble(
        predictions.structure,
        weights=torch.full((count,), 1.0 / count),
        energy_terms=(),
        energies=torch.zeros(count, 0),
        replica=torch.arange(count),
        step=torch.zeros(count, dtype=torch.long),
        provenance=Provenance(GENERATOR, ROOM_TEMPERATURE, seed, "given", settings),
    )


def _confidences(
    predictions: Predictions, labels: Tensor, sound: Tensor, states: int
) -> tuple[Tensor | None, float | None]:
    if predictions.confidence is None:
        return None, None
    mean = predictions.confidence.mean(-1)
    loose = sound[labels[sound] < 0]
    by_state = torch.stack([mean[labels == state].mean() for state in range(states)])
    return by_state, float(mean[loose].mean()) if len(loose) else None


def _loose(analysis: Analysis) -> tuple[Note, ...]:
    """States whose members are alike only from afar."""
    wide = [state for state in analysis.states.states if state.spread > LOOSE]
    told = "its models lie {:.1f} Å from its representative: kindred models, not one conformation."
    return tuple(Note("warning", f"state {one.label} is loose, {told.format(one.spread)}") for one in wide)


def _notes(check: ModelCheck, dense: DenseStates) -> tuple[Note, ...]:
    said = []
    if broken := int(check.broken.sum()):
        said.append(Note("ignored", f"{broken} models left out: a peptide bond is longer than 2 Å."))
    if clashing := int((check.clashing & ~check.broken).sum()):
        said.append(Note("ignored", f"{clashing} models left out: parts of the chain run through each other."))
    if loose := int((dense.labels < 0).sum()):
        said.append(
            Note(
                "warning",
                f"{loose} of {len(dense.labels)} sound models lie in no dense region and belong to no state; "
                "shares of states are shares of the others.",
            )
        )
    return tuple(said)
