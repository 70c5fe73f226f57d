"""From the alignment to pairs of residues: the mean of outer products over its rows."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

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

        # right before left, so that the products of a pair of residues lie side by side without being moved
        right = right.flatten(-2).transpose(-1, -2).unsqueeze(-3)  # 1 (j e) rows
        weight = self.to_out.weight.unflatten(-1, (left.shape[-1], -1)).transpose(-1, -2).flatten(-2)

        def outer(left: Tensor, shared: Tensor) -> Tensor:
            products = (right @ left).unflatten(-2, (msa.shape[-2], -1)).flatten(-2)  # i j (e c)
            return linear(products, weight, self.to_out.bias) / (_NO_ROWS + shared)

        size = msa.element_size() * msa.shape[:-3].numel() * msa.shape[-2] * 2 * self.to_out.in_features
        return in_chunks(outer, execution, size, msa.dim() - 3, left.transpose(-2, -3), shared)
