"""Number and dimension of clusters, by what held-out points say and by what resampling leaves unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from .kmeans import KMeans, KMeansModel
from .metrics import adjusted_rand
from .mppca import MPPCA, MPPCAModel, mixture_of_labels
from .points import checked, seeded
from .sesc import SESC, SESCModel

Candidate = KMeans | SESC | MPPCA


@dataclass(frozen=True)
class Trial:
    """What one candidate was worth.

    Args:
        candidate: Its settings.
        held_out: Mean log-likelihood of a held-out point, in nats, averaged over the folds.
        error: Standard error over the folds of its difference to the best candidate.
        stability: Mean adjusted Rand index between the labels that two folds' models give to all points.
        parameters: Free parameters of the mixture, averaged over the folds.
    """

    candidate: Candidate
    held_out: float
    error: float
    stability: float
    parameters: float


@dataclass(frozen=True)
class Selection:
    """The candidate to take, and the table it was taken from.

    Args:
        best: The chosen settings, to be fitted to all points.
        trials: One row for each candidate, in the order they were given.
    """

    best: Candidate
    trials: tuple[Trial, ...]


def select(
    points: Float[Tensor, "points dims"],
    candidates: Sequence[Candidate],
    *,
    weights: Float[Tensor, "points"] | None = None,
    folds: int = 5,
    stable: float = 0.8,
    generator: torch.Generator | None = None,
) -> Selection:
    """The leanest candidate among the stable ones that predicts held-out points within one error of the best.

    Each fold is held out once. The likelihood is that of a mixture of probabilistic principal component analysers
    with the candidate's labels and dimensions, so that k-means, SESC and MPPCA stand on one scale. Leanest is
    fewest clusters, then fewest parameters. Put a candidate with one cluster into the race: it is always stable.

    Args:
        points: The cloud. Frames that follow each other in time must not fall into unlike folds unless they are
            independent: thin a trajectory first.
        candidates: Settings to compare.
        weights: Weight of each point.
        folds: Parts that the cloud is cut into.
        stable: Least stability of a candidate that may win.
        generator: Source of random numbers; none: a new one with seed 0.

    Raises:
        ConfigError: There are no candidates, folds do not fit the points, or no candidate is stable.
    """
    masses, source = checked(points, weights), seeded(generator)
    if not candidates or not 2 <= folds <= points.shape[0]:
        raise ConfigError(
            f"{len(candidates)} candidates, {folds} folds and {points.shape[0]} points do not make a race."
        )
    order = torch.randperm(points.shape[0], generator=source, device=source.device).to(points.device)
    parts = order.tensor_split(folds)
    raced = [_raced(points, masses, candidate, parts, source) for candidate in candidates]
    scores = torch.tensor([scores for scores, _, _ in raced], dtype=torch.float64)
    leader = scores[int(scores.mean(-1).argmax())]
    errors = (scores - leader).std(-1) / folds**0.5
    trials = tuple(
        Trial(candidate, float(score.mean()), float(error), stability, parameters)
        for candidate, score, error, (_, stability, parameters) in zip(
            candidates, scores, errors, raced, strict=True
        )
    )
    return Selection(_leanest(trials, stable), trials)


def _raced(
    points: Tensor, masses: Tensor, candidate: Candidate, parts: Sequence[Tensor], source: torch.Generator
) -> tuple[list[float], float, float]:
    """Held-out likelihood of each fold, stability, and parameters."""
    scores, labels, parameters = [], [], []
    for number, part in enumerate(parts):
        kept = torch.cat([other for i, other in enumerate(parts) if i != number])
        model = candidate.fit(points[kept], weights=masses[kept], generator=source)
        mixture = _mixture(model, points[kept], masses[kept])
        scores.append(mixture.score(points[part], masses[part]))
        labels.append(model.predict(points))
        parameters.append(mixture.parameters)
    agreement = [adjusted_rand(one, two) for one, two in combinations(labels, 2)]
    return scores, sum(agreement) / len(agreement), sum(parameters) / len(parameters)


def _mixture(model: KMeansModel | SESCModel | MPPCAModel, points: Tensor, masses: Tensor) -> MPPCAModel:
    """The mixture that gives a model its likelihood."""
    if isinstance(model, MPPCAModel):
        return model
    if isinstance(model, SESCModel):
        return mixture_of_labels(points, model.labels, model.dimensions, weights=masses)
    flat = torch.zeros(model.centres.shape[0], dtype=torch.long, device=points.device)
    return mixture_of_labels(points, model.labels, flat, weights=masses)


def _leanest(trials: Sequence[Trial], stable: float) -> Candidate:
    steady = [trial for trial in trials if trial.stability >= stable]
    if not steady:
        best = max(trial.stability for trial in trials)
        raise ConfigError(
            f"no candidate is stable ({best:.2f} at best, {stable:g} asked for); add one with one cluster."
        )
    leader = max(steady, key=lambda trial: trial.held_out)
    near = [trial for trial in steady if trial.held_out >= leader.held_out - trial.error]
    return min(near, key=lambda trial: (trial.candidate.k, trial.parameters)).candidate
