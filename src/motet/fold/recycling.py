"""Passes of the network, each beginning with what the one before has left."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..nn import PLAIN, Execution, fast_products
from .features import Features
from .model import AlphaFold
from .prediction import Prediction
from .representations import Recycled
from .residues import CA


@dataclass(frozen=True)
class Recycling:
    """How often to repeat a pass.

    Args:
        recycles: Passes after the first; AlphaFold2 makes 3.
        tolerance: Stop as soon as the distances between Cα atoms change by less than this between passes, in Å
            (root mean square); 0 never stops early.
    """

    recycles: int = 3
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if self.recycles < 0 or self.tolerance < 0:
            raise ConfigError(f"recycles={self.recycles} and tolerance={self.tolerance} must not be negative.")


@dataclass(frozen=True, eq=False)
class Folding:
    """The last prediction, and what happened on the way.

    Args:
        prediction: What the last pass predicts.
        changes: Change of the distances between Cα atoms in each pass, in Å.
        converged: Whether the passes stopped because the structure did.
    """

    prediction: Prediction
    changes: tuple[float, ...]
    converged: bool


def fold(
    model: AlphaFold,
    features: Features | Callable[[int], Features],
    recycling: Recycling = Recycling(),
    *,
    previous: Recycled | None = None,
    execution: Execution = PLAIN,
) -> Folding:
    """Predict, repeating the pass: Jumper et al. (2021), Suppl. Alg. 2 (inference).

    Args:
        model: The network with its weights.
        features: What it reads: the same in every pass, or a function of the pass (0, 1, …) that draws new rows
            of the alignment each time, as AlphaFold2 does.
        recycling: How often, and when to stop.
        previous: Where to begin; None begins with zeros.
        execution: Memory, and dropout.
    """
    prediction, changes, converged = None, [], False
    for number in range(recycling.recycles + 1):
        read = features if isinstance(features, Features) else features(number)
        before = previous or model.nothing(read)
        with fast_products():
            prediction = model(read, before, execution)
        change = distance_change(before.positions, prediction.folded.positions, read.residue_presence)
        changes.append(float(change.max()))
        previous = prediction.recycled
        if converged := changes[-1] < recycling.tolerance:
            break
    assert prediction is not None  # there is at least one pass
    return Folding(prediction, tuple(changes), converged)


def distance_change(
    before: Float[Tensor, "*batch residues 37 3"],
    after: Float[Tensor, "*batch residues 37 3"],
    presence: Float[Tensor, "*batch residues"],
) -> Float[Tensor, "*batch"]:
    """Root mean square change of the distances between Cα atoms, in Å."""
    first, second = (torch.cdist(x[..., CA, :], x[..., CA, :]) for x in (before, after))
    both = presence[..., :, None] * presence[..., None, :]
    squared = (first - second).square() * both
    return (squared.sum((-1, -2)) / both.sum((-1, -2))).sqrt()
