"""Attention within an alignment: along its rows, down its columns, and down its columns cheaply."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .attention import GatedSelfAttention
from .execution import PLAIN, Execution, in_chunks
from .masking import log_presence
from .norm import LayerNorm

_NOBODY = 1e-10  # keeps the mean of an empty column finite


class RowAttention(nn.Module):
    """MSARowAttentionWithPairBias: Jumper et al. (2021), Suppl. Alg. 7."""

    def __init__(self, *, c_msa: int, c_pair: int, heads: int, c_head: int) -> None:
        super().__init__()
        self.norm_msa = LayerNorm(c_msa)
        self.norm_pair = LayerNorm(c_pair)
        self.to_bias = nn.Linear(c_pair, heads, bias=False)
        self.attention = GatedSelfAttention(channels=c_msa, heads=heads, c_head=c_head)

    def forward(
        self,
        msa: Float[Tensor, "*batch rows residues c_msa"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch rows residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch rows residues c_msa"]:
        """The update of `msa`: residues of a row attend to each other, as the pair representation suggests."""
        bias = self.to_bias(self.norm_pair(pair)).movedim(-1, -3).unsqueeze(-4)

        def attend(rows: Tensor, there: Tensor | None) -> Tensor:
            mask = None if there is None else log_presence((there > 0).to(bias.dtype))[..., None, None, :]
            return self.attention(self.norm_msa(rows), bias if mask is None else bias + mask)

        dim = msa.dim() - 3
        size = msa.shape[:-3].numel() * self.attention.bytes_per_set(msa.shape[-2], msa.element_size())
        return in_chunks(attend, execution, size, dim, msa, presence)


class ColumnAttention(nn.Module):
    """MSAColumnAttention: Jumper et al. (2021), Suppl. Alg. 8."""

    def __init__(self, *, c_msa: int, heads: int, c_head: int) -> None:
        super().__init__()
        self.norm = LayerNorm(c_msa)
        self.attention = GatedSelfAttention(channels=c_msa, heads=heads, c_head=c_head)

    def forward(
        self,
        msa: Float[Tensor, "*batch rows residues c_msa"],
        presence: Float[Tensor, "*batch rows residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch rows residues c_msa"]:
        """The update of `msa`: rows attend to each other, residue by residue, each with its weight `presence`."""

        def attend(columns: Tensor, there: Tensor | None) -> Tensor:
            columns = self.norm(columns.transpose(-2, -3))
            bias = None if there is None else log_presence(there.transpose(-1, -2))[..., None, None, :]
            return self.attention(columns, bias).transpose(-2, -3)

        dim = msa.dim() - 2
        size = msa.shape[:-3].numel() * self.attention.bytes_per_set(msa.shape[-3], msa.element_size())
        return in_chunks(attend, execution, size, dim, msa, presence)


class GlobalColumnAttention(nn.Module):
    """MSAColumnGlobalAttention: Jumper et al. (2021), Suppl. Alg. 19: one query a column, one key a row."""

    def __init__(self, *, c_msa: int, heads: int, c_head: int) -> None:
        super().__init__()
        self.heads, self.c_head = heads, c_head
        self.norm = LayerNorm(c_msa)
        self.to_query = nn.Linear(c_msa, heads * c_head, bias=False)
        self.to_key = nn.Linear(c_msa, c_head, bias=False)
        self.to_value = nn.Linear(c_msa, c_head, bias=False)
        self.to_gate = nn.Linear(c_msa, heads * c_head)
        self.to_out = nn.Linear(heads * c_head, c_msa)

    def forward(
        self,
        msa: Float[Tensor, "*batch rows residues c_msa"],
        presence: Float[Tensor, "*batch rows residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch rows residues c_msa"]:
        """The update of `msa`; rows count by their weight `presence` in the mean query and in the attention."""

        def attend(columns: Tensor, there: Tensor | None) -> Tensor:
            weight = None if there is None else there.transpose(-1, -2)
            return self._attend(self.norm(columns.transpose(-2, -3)), weight).transpose(-2, -3)

        dim = msa.dim() - 2
        per_row = msa.element_size() * (4 * self.heads * self.c_head + self.heads)
        return in_chunks(attend, execution, msa.shape[:-2].numel() * per_row, dim, msa, presence)

    def _attend(
        self, rows: Float[Tensor, "*batch rows c_msa"], weight: Float[Tensor, "*batch rows"] | None
    ) -> Float[Tensor, "*batch rows c_msa"]:
        query = self.to_query(_mean(rows, weight)).unflatten(-1, (self.heads, self.c_head)) * self.c_head**-0.5
        logits = query @ self.to_key(rows).transpose(-1, -2)
        if weight is not None:
            logits = logits + log_presence(weight)[..., None, :]
        mixed = (logits.softmax(-1) @ self.to_value(rows)).flatten(-2)
        return self.to_out(self.to_gate(rows).sigmoid() * mixed[..., None, :])


def _mean(
    rows: Float[Tensor, "*batch rows c_msa"], weight: Float[Tensor, "*batch rows"] | None
) -> Float[Tensor, "*batch c_msa"]:
    if weight is None:
        weight = torch.ones_like(rows[..., 0])
    return (rows * weight[..., None]).sum(-2) / (weight.sum(-1, keepdim=True) + _NOBODY)
