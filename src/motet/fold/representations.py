"""What passes between the parts of the network."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Representations:
    """What the trunk has learnt.

    Args:
        msa: A token a residue of a cluster centre.
        pair: A token a pair of residues.
        single: A token a residue, from the first row.
        first_row: The first row of `msa`, for the next pass.
    """

    msa: Float[Tensor, "*batch rows residues c_msa"]
    pair: Float[Tensor, "*batch residues residues c_pair"]
    single: Float[Tensor, "*batch residues c_single"]
    first_row: Float[Tensor, "*batch residues c_msa"]


@dataclass(frozen=True, eq=False)
class Recycled:
    """What a pass hands to the next one; positions are in Å."""

    first_row: Float[Tensor, "*batch residues c_msa"]
    pair: Float[Tensor, "*batch residues residues c_pair"]
    positions: Float[Tensor, "*batch residues 37 3"]

    @classmethod
    def nothing(cls, target: Float[Tensor, "*batch residues channels"], c_msa: int, c_pair: int) -> "Recycled":
        """Before the first pass: zeros, of the type and place of `target`."""
        lead = target.shape[:-1]
        return cls(
            target.new_zeros((*lead, c_msa)),
            target.new_zeros((*lead, lead[-1], c_pair)),
            target.new_zeros((*lead, 37, 3)),
        )

    def detached(self) -> "Recycled":
        """The same, with no gradient into the pass before."""
        return Recycled(self.first_row.detach(), self.pair.detach(), self.positions.detach())


def presence_or_none(presence: Tensor) -> Tensor | None:
    """None where everything is present: attention without a mask is faster and needs less memory."""
    return None if bool((presence == 1).all()) else presence


def pairwise_presence(presence: Float[Tensor, "*batch residues"]) -> Float[Tensor, "*batch residues residues"]:
    """Presence of pairs."""
    return presence[..., :, None] * presence[..., None, :]
