"""Rows of the alignment as tokens: where each stands after every block of the trunk."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .evoformer import EvoformerStack


class RowTokens:
    """Tokens of the rows, block by block: each row's normed representations, averaged over its residues."""

    def __init__(self) -> None:
        self._blocks: list[Tensor] = []

    def see(self, msa: Float[Tensor, "rows residues c_msa"]) -> None:
        """Add the alignment after one more block."""
        normed = nn.functional.layer_norm(msa.float(), msa.shape[-1:])
        self._blocks.append(normed.mean(-2).cpu())

    @property
    def blocks(self) -> Float[Tensor, "blocks rows c_msa"]:
        """All that was seen."""
        return torch.stack(self._blocks)


@contextmanager
def rows_followed(stack: EvoformerStack) -> Iterator[RowTokens]:
    """Follow the rows through a stack within the `with` statement, one pass of one protein."""
    tokens = RowTokens()

    def look(_block: nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> None:
        tokens.see(output[0].detach())

    handles = [block.register_forward_hook(look) for block in stack.blocks]
    try:
        yield tokens
    finally:
        for handle in handles:
            handle.remove()
