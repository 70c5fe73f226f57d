"""What one pass of the network predicts."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .heads import aligned_error_of, error_centres, lddt_of, tm_score_of
from .representations import Recycled, Representations
from .structure_module import Folded


@dataclass(frozen=True, eq=False)
class AlignedErrors:
    """How well each residue is placed relative to each other; only `_ptm` models know.

    Args:
        logits: Logits of each bin of error.
        expected: Expected error of residue j when laid on residue i, in Å.
        largest: The largest error that can be predicted, in Å.
        tm_score: pTM, from 0 to 1.
    """

    logits: Float[Tensor, "*batch residues residues bins"]
    expected: Float[Tensor, "*batch residues residues"]
    largest: float
    tm_score: Float[Tensor, "*batch"]

    @classmethod
    def of(
        cls,
        logits: Float[Tensor, "*batch residues residues bins"],
        presence: Float[Tensor, "*batch residues"],
        largest_edge: float,
    ) -> "AlignedErrors":
        """Everything that follows from the logits."""
        expected = aligned_error_of(logits, largest_edge)
        largest = float(error_centres(logits, largest_edge)[-1])
        return cls(logits, expected, largest, tm_score_of(logits, presence, largest_edge))


@dataclass(frozen=True, eq=False)
class Prediction:
    """A structure, and how sure the network is of it.

    Args:
        folded: The structure: atoms in Å, frames, torsions.
        representations: What the trunk has learnt.
        residue_presence: 1 for a residue, 0 for padding.
        lddt_logits: Logits of the lDDT of each residue.
        distogram_logits: Logits of the distance of each pair of Cβ atoms.
        masked_msa_logits: Logits of the residue types of the alignment.
        resolved_logits: Logits of whether an atom would be seen in a good experiment.
        aligned: Errors between residues; None for a model that does not predict them.
    """

    folded: Folded
    representations: Representations
    residue_presence: Float[Tensor, "*batch residues"]
    lddt_logits: Float[Tensor, "*batch residues lddt_bins"]
    distogram_logits: Float[Tensor, "*batch residues residues distance_bins"]
    masked_msa_logits: Float[Tensor, "*batch rows residues types"]
    resolved_logits: Float[Tensor, "*batch residues 37"]
    aligned: AlignedErrors | None

    @property
    def plddt(self) -> Float[Tensor, "*batch residues"]:
        """Expected lDDT-Cα of each residue, from 0 to 100."""
        return lddt_of(self.lddt_logits)

    @property
    def confidence(self) -> Float[Tensor, "*batch"]:
        """Mean pLDDT of the residues that are there: what AlphaFold2 ranks its models by."""
        return (self.plddt * self.residue_presence).sum(-1) / self.residue_presence.sum(-1)

    @property
    def recycled(self) -> Recycled:
        """What the next pass begins with."""
        known = self.representations
        return Recycled(known.first_row, known.pair, self.folded.positions).detached()
