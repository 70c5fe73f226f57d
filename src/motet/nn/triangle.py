"""Updates of pairs of residues by the triangles that they form with a third."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .attention import GatedSelfAttention
from .execution import PLAIN, Execution, in_chunks
from .masking import log_presence
from .norm import LayerNorm

_FEWEST = 16  # channels of a product: with fewer, matrix products are slow


class TriangleMultiplication(nn.Module, ABC):
    """What Suppl. Alg. 11 and 12 share: each channel of the update is one product of two matrices."""

    def __init__(self, *, c_pair: int, c_hidden: int) -> None:
        super().__init__()
        self.norm_in = LayerNorm(c_pair)
        self.to_left = nn.Linear(c_pair, c_hidden)
        self.to_right = nn.Linear(c_pair, c_hidden)
        self.to_left_gate = nn.Linear(c_pair, c_hidden)
        self.to_right_gate = nn.Linear(c_pair, c_hidden)
        self.norm_out = LayerNorm(c_hidden)
        self.to_out = nn.Linear(c_hidden, c_pair)
        self.to_gate = nn.Linear(c_pair, c_pair)

    @abstractmethod
    def contract(
        self, left: Float[Tensor, "*batch residues residues"], right: Float[Tensor, "*batch residues residues"]
    ) -> Float[Tensor, "*batch residues residues"]:
        """The sum over the third residue of the triangle."""

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The update of `pair`."""
        normed = self.norm_in(pair)
        mixed = self._mix(normed, presence, execution)

        def close(mixed: Tensor, normed: Tensor) -> Tensor:
            mixed = self.norm_out(mixed.movedim(-1, -2).contiguous())
            return self.to_out(mixed) * self.to_gate(normed).sigmoid()

        size = pair.element_size() * pair.shape[:-2].numel() * 4 * pair.shape[-1]
        return in_chunks(close, execution, size, pair.dim() - 3, mixed.movedim(-3, -2), normed)

    def _mix(self, normed: Tensor, presence: Tensor | None, execution: Execution) -> Tensor:
        """All triangles, channel by channel: `*batch c_hidden residues residues`."""
        columns = normed.flatten(-3, -2).transpose(-1, -2)
        there = None if presence is None else presence.flatten(-2).unsqueeze(-2)
        side = normed.shape[-2]

        def mix(weights: Tensor, biases: Tensor) -> Tensor:
            """The channels of one chunk: their four projections in one product."""
            chunk = weights.shape[0]
            projected = (weights.transpose(0, 1).flatten(0, 1) @ columns).add_(biases.T.reshape(-1, 1))
            left, right, left_gate, right_gate = projected.split(chunk, -2)
            left, right = left * left_gate.sigmoid(), right * right_gate.sigmoid()
            if there is not None:
                left, right = left * there, right * there
            mixed = self.contract(left.unflatten(-1, (-1, side)), right.unflatten(-1, (-1, side)))
            return mixed.movedim(-3, 0)

        layers = (self.to_left, self.to_right, self.to_left_gate, self.to_right_gate)
        weights = torch.stack([layer.weight for layer in layers], 1)  # channels 4 c_pair
        biases = torch.stack([layer.bias for layer in layers], 1)
        # a few channels of everything together are smaller than the pairs themselves
        item = max(
            1, min(execution.memory_budget // _FEWEST, 8 * normed.element_size() * normed.shape[:-1].numel())
        )
        return in_chunks(mix, execution, item, 0, weights, biases).movedim(0, -3)


class TriangleMultiplicationOutgoing(TriangleMultiplication):
    """TriangleMultiplicationOutgoing: Jumper et al. (2021), Suppl. Alg. 11."""

    def contract(
        self, left: Float[Tensor, "*batch residues residues"], right: Float[Tensor, "*batch residues residues"]
    ) -> Float[Tensor, "*batch residues residues"]:
        """Σ_k left_ik right_jk."""
        return left @ right.transpose(-1, -2)


class TriangleMultiplicationIncoming(TriangleMultiplication):
    """TriangleMultiplicationIncoming: Jumper et al. (2021), Suppl. Alg. 12."""

    def contract(
        self, left: Float[Tensor, "*batch residues residues"], right: Float[Tensor, "*batch residues residues"]
    ) -> Float[Tensor, "*batch residues residues"]:
        """Σ_k left_ki right_kj."""
        return left.transpose(-1, -2) @ right


class TriangleAttention(nn.Module):
    """TriangleAttentionStartingNode: Jumper et al. (2021), Suppl. Alg. 13."""

    def __init__(self, *, c_pair: int, heads: int, c_head: int) -> None:
        super().__init__()
        self.norm = LayerNorm(c_pair)
        self.to_bias = nn.Linear(c_pair, heads, bias=False)
        self.attention = GatedSelfAttention(channels=c_pair, heads=heads, c_head=c_head)

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The update of `pair`: edges with a common start attend to each other, as the third edge suggests."""
        normed = self.norm(pair)
        bias = self.to_bias(normed).movedim(-1, -3).unsqueeze(-4)

        def attend(edges: Tensor, there: Tensor | None) -> Tensor:
            mask = None if there is None else log_presence(there)[..., None, None, :]
            return self.attention(edges, bias if mask is None else bias + mask)

        size = pair.shape[:-3].numel() * self.attention.bytes_per_set(pair.shape[-2], pair.element_size())
        return in_chunks(attend, execution, size, pair.dim() - 3, normed, presence)


class TriangleAttentionEnding(TriangleAttention):
    """TriangleAttentionEndingNode: Jumper et al. (2021), Suppl. Alg. 14: Alg. 13 on the transposed pairs."""

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The update of `pair`: edges with a common end attend to each other."""
        turned = None if presence is None else presence.transpose(-1, -2)
        return super().forward(pair.transpose(-2, -3), turned, execution).transpose(-2, -3)
