"""Whether a mutation strengthens phase separation or weakens it, by three changes that physics names."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .coarse import CoarseEnergy
from .sequences import SequenceBatch

CHANGES = ("stickiness", "charge", "disorder")


class Direction(nn.Module):
    """Log odds that a mutation strengthens, linear in what it changes; weights fitted on known mutants."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 0.0, 0.0]))
        self.offset = nn.Parameter(torch.tensor(0.0))

    def forward(self, changes: Float[Tensor, "mutants changes"]) -> Float[Tensor, "mutants"]:
        """Log odds of strengthening."""
        return changes @ self.weight + self.offset


def changes(
    coarse: CoarseEnergy,
    charges: Float[Tensor, "20"],
    mutants: SequenceBatch,
    wild: SequenceBatch,
    disorder: Float[Tensor, "mutants residues"],
    wild_disorder: Float[Tensor, "one residues"],
) -> Float[Tensor, "mutants changes"]:
    """What each mutant has more than the wild type: stickiness, charge in e, residues that are disordered.

    Args:
        coarse: Whose stickiness counts.
        charges: Of each residue type, at the pH.
        mutants: Point mutants of one protein.
        wild: That protein alone.
        disorder: Probability of disorder of each residue of the mutants.
        wild_disorder: And of the wild type.
    """
    difference = mutants.one_hot(charges.dtype).sum(1) - wild.one_hot(charges.dtype).sum(1)
    looser = disorder.sum(-1) - wild_disorder.sum(-1)
    return torch.stack((difference @ coarse.stickiness, difference @ charges, looser), -1)
