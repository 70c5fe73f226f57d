"""Earth mover's distance between two weighted sets of states."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError, ConvergenceError


@dataclass(frozen=True, eq=False)
class Transport:
    """The cheapest way to turn one population into the other.

    Args:
        distance: Mean distance that weight travels, in the unit of the distances.
        plan: Weight that goes from each state of the one set to each state of the other.
    """

    distance: float
    plan: Float[Tensor, "states_of_one states_of_two"]


def earth_movers(
    distances: Float[Tensor, "rows columns"],
    one: Float[Tensor, "states_of_one"],
    two: Float[Tensor, "states_of_two"],
) -> Transport:
    """Earth mover's distance, exactly, as a linear programme; populations are brought to a sum of 1.

    Args:
        distances: Distance of every state of one set to every state of the other, such as RMSD in Å.
        one: Populations of the one set.
        two: Populations of the other.

    Raises:
        ConfigError: Shapes differ, or a distance or population is negative, not finite, or all are 0.
        ConvergenceError: The linear programme has no answer.
    """
    if distances.shape != (one.shape[0], two.shape[0]):
        raise ConfigError(f"{one.shape[0]} and {two.shape[0]} states need distances of that shape.")
    for values in (distances, one, two):
        if not values.isfinite().all() or (values < 0).any():
            raise ConfigError("distances and populations must be finite and at least 0.")
    if one.sum() == 0 or two.sum() == 0:
        raise ConfigError("a set of states without population cannot be moved.")
    plan = _plan(distances.double().cpu(), (one / one.sum()).double().cpu(), (two / two.sum()).double().cpu())
    return Transport(float((plan * distances.double().cpu()).sum()), plan.to(distances))


def _plan(distances: Tensor, one: Tensor, two: Tensor) -> Tensor:
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron, vstack

    rows, columns = distances.shape
    leaving = kron(identity(rows), np.ones((1, columns)))
    arriving = kron(np.ones((1, rows)), identity(columns))
    # The last equation follows from the others, and rounding could make it contradict them.
    limits = torch.cat([one, two])[:-1].numpy()
    sums = vstack([leaving, arriving]).tocsr()[:-1]
    answer = linprog(distances.flatten().numpy(), A_eq=sums, b_eq=limits, bounds=(0, None), method="highs")
    if not answer.success:
        raise ConvergenceError("the earth mover's distance", answer.message, "check the populations")
    return torch.from_numpy(answer.x).reshape(rows, columns)
