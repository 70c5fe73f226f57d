"""From the alignment to pairs of residues: the mean of outer products over its rows."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .execution import PLAIN, Execution, in_chunks
from .norm import LayerNorm

_NO_ROWS = 1e-3  # added to the number of rows that two residues share


class OuterProductMean(nn.Module):
    """OuterProductMean: Jumper et al. (2021), Suppl. Alg. 10."""

    def __init__(self, *, c_msa: int, c_pair: int, c_outer: int) -> None:
        super().__init__()
        self.norm = LayerNorm(c_msa)
        self.to_left = nn.Linear(c_msa, c_outer)
        self.to_right = nn.Linear(c_msa, c_outer)
        self.to_out = nn.Linear(c_outer * c_outer, c_pair)

    def forward(
        self,
        msa: Float[Tensor, "*batch rows residues c_msa"],
        presence: Float[Tensor, "*batch rows residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The update of the pair representation; a row counts by its weight `presence`."""
        msa = self.norm(msa)
        left, right = self.to_left(msa), self.to_right(msa)
        if presence is None:
            shared = msa.new_full((1,), msa.shape[-3]).expand(*msa.shape[:-3], msa.shape[-2], 1, 1)
        else:
            there = (presence > 0).to(msa.dtype)
            left, right = left * presence[..., None], right * there[..., None]
            shared = torch.einsum("...si,...sj->...ij", presence, there)[..., None]

        right = right.flatten(-2)  # rows (j e)

        def outer(left: Tensor, shared: Tensor) -> Tensor:
            products = left.transpose(-1, -2).flatten(-3, -2) @ right  # (i c) (j e)
            products = products.unflatten(-1, (-1, self.to_right.out_features))
            products = products.unflatten(-3, (-1, self.to_left.out_features)).transpose(-2, -3)
            return self.to_out(products.flatten(-2)) / (_NO_ROWS + shared)

        size = msa.element_size() * msa.shape[:-3].numel() * msa.shape[-2] * 2 * self.to_out.in_features
        return in_chunks(outer, execution, size, msa.dim() - 3, left.transpose(-2, -3), shared)
