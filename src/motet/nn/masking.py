"""Who may be attended to: masks, and weights between 0 and 1, as additions to attention logits."""

import torch
from jaxtyping import Float
from torch import Tensor

ABSENT = -1e9


def log_presence(presence: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """What to add to a logit so that its softmax weight is multiplied by `presence`.

    0 for what is present, -1e9 for what is absent, the logarithm for a weight between: then a weight of 0
    equals leaving the token out, and a weight of 1 changes nothing.
    """
    there = presence > 0
    return torch.where(there, torch.where(there, presence, 1.0).log(), ABSENT)
