"""The three words for how a residue stands: favoured, allowed, outlier."""

from enum import IntEnum

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Verdict(IntEnum):
    """How common a residue's torsions are among well-determined ones."""

    UNJUDGED = -1
    FAVOURED = 0
    ALLOWED = 1
    OUTLIER = 2

    @property
    def word(self) -> str:
        """For a table; nothing where nothing is judged."""
        return "" if self is Verdict.UNJUDGED else self.name.lower()


def judged(
    share: Float[Tensor, "*batch"],
    known: Bool[Tensor, "*batch"],
    favoured: float,
    allowed: float | Float[Tensor, "*batch"],
) -> Int[Tensor, "*batch"]:
    """Verdicts by the share of residues that stand somewhere rarer; a share at a limit is on its better side."""
    verdict = torch.where(share >= favoured, int(Verdict.FAVOURED), int(Verdict.ALLOWED))
    verdict = torch.where(share < allowed, int(Verdict.OUTLIER), verdict)
    return torch.where(known, verdict, int(Verdict.UNJUDGED))


def share_of(verdicts: Int[Tensor, "*batch residues"], verdict: Verdict) -> Float[Tensor, "*batch"]:
    """Share of the judged residues that a verdict falls on, in percent; 0 where nothing is judged."""
    count = (verdicts >= 0).sum(-1)
    return 100.0 * (verdicts == int(verdict)).sum(-1) / count.clamp_min(1)
