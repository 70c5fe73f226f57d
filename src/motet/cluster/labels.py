"""Which point belongs to which cluster, as numbers and as a matrix of weights."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def memberships(
    labels: Int[Tensor, "*batch points"], masses: Float[Tensor, "points"], k: int
) -> Float[Tensor, "*batch clusters points"]:
    """The weight of each point in its cluster, 0 in the others."""
    return torch.nn.functional.one_hot(labels, k).to(masses).mT * masses


def heaviest_first(
    labels: Int[Tensor, "points"], masses: Float[Tensor, "points"], k: int
) -> tuple[Int[Tensor, "points"], Int[Tensor, "clusters"]]:
    """Labels by falling weight, ties by their first point, and the old number of each new label."""
    members = torch.nn.functional.one_hot(labels, k)
    by_first = members.argmax(0).argsort(stable=True)
    weight = members.to(masses).mT @ masses
    order = by_first[weight[by_first].argsort(descending=True, stable=True)]
    return order.argsort()[labels], order
