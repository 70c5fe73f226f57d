"""Self-attention with a gate: what every attention of the trunk has in common."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, pad, scaled_dot_product_attention

from ..errors import ConfigError
from .masking import ABSENT

_LANES = 16  # numbers that a processor adds at once: softmax over a multiple of it is three times as fast


class GatedSelfAttention(nn.Module):
    """Multi-head self-attention, its output gated by the input: the core of Suppl. Alg. 7, 8, 13 and 14.

    Args:
        channels: Width of the tokens, in and out.
        heads: Number of heads.
        c_head: Width of a head.
    """

    def __init__(self, *, channels: int, heads: int, c_head: int) -> None:
        super().__init__()
        if heads < 1 or c_head < 1:
            raise ConfigError(f"attention needs a head with a channel; got heads={heads}, c_head={c_head}.")
        self.heads, self.c_head = heads, c_head
        self.beta = 1.0  # inverse temperature of the logits; the published network's is 1
        width = heads * c_head
        self.to_query = nn.Linear(channels, width, bias=False)
        self.to_key = nn.Linear(channels, width, bias=False)
        self.to_value = nn.Linear(channels, width, bias=False)
        self.to_gate = nn.Linear(channels, width)
        self.to_out = nn.Linear(width, channels)

    def forward(
        self,
        tokens: Float[Tensor, "*batch tokens channels"],
        bias: Float[Tensor, "*#batch #heads #tokens tokens"] | None = None,
    ) -> Float[Tensor, "*batch tokens channels"]:
        """The update of every token; `bias` is added to the logits."""
        query, key, value, gate = self._project(tokens)
        lead = tokens.shape[:-2]
        # as (sets of tokens, heads, tokens, channels): the fused kernels want exactly four axes
        query, key, value = (x.transpose(-2, -3).reshape(-1, *_swapped(x.shape[-3:])) for x in (query, key, value))
        if self.beta != 1:
            query, bias = query * self.beta, None if bias is None else bias * self.beta
        mixed = _attended(query, key, value, _flat_bias(bias, lead))
        mixed = mixed.transpose(-2, -3).reshape(*lead, tokens.shape[-2], -1)
        return self.to_out(mixed * gate.flatten(-2).add(self.to_gate.bias).sigmoid_())

    def _project(self, tokens: Tensor) -> tuple[Tensor, ...]:
        """Query, key, value and gate (without its bias), each `*batch tokens heads c_head`, in one product."""
        projections = (self.to_query, self.to_key, self.to_value, self.to_gate)
        fused = linear(tokens, torch.cat([projection.weight for projection in projections]))
        return fused.unflatten(-1, (4, self.heads, self.c_head)).unbind(-3)

    def weights(
        self,
        tokens: Float[Tensor, "*batch tokens channels"],
        bias: Float[Tensor, "*#batch #heads #tokens tokens"] | None = None,
    ) -> Float[Tensor, "*batch heads tokens tokens"]:
        """How much each token attends to each: what `forward` uses and does not keep; in float32 or wider."""
        query, key, *_ = (x.transpose(-2, -3) for x in self._project(tokens))
        wide = torch.promote_types(query.dtype, torch.float32)
        logits = query.to(wide) @ key.to(wide).mT * self.c_head**-0.5
        return (self.beta * (logits if bias is None else logits + bias)).softmax(-1)

    def bytes_per_set(self, tokens: int, element_size: int) -> int:
        """Memory that one set of tokens needs: its projections, and logits that no kernel may have to write."""
        return element_size * tokens * (6 * self.heads * self.c_head + self.heads * tokens)


def _attended(
    query: Float[Tensor, "sets heads queries c_head"],
    key: Float[Tensor, "sets heads keys c_head"],
    value: Float[Tensor, "sets heads keys c_head"],
    bias: Float[Tensor, "#sets #heads #queries keys"] | None,
) -> Float[Tensor, "sets heads queries c_head"]:
    """Values, weighed by the softmax of the logits.

    The fused kernels of a GPU never write the logits. On a processor they are slower than products of chunks that
    stay in its cache.
    """
    if query.device.type != "cpu":
        return scaled_dot_product_attention(query, key, value, attn_mask=bias)
    spare = -key.shape[-2] % _LANES
    if spare:
        key, value = (pad(x, (0, 0, 0, spare)) for x in (key, value))
        none = key.new_zeros(1, 1, 1, key.shape[-2] - spare)
        bias = pad(none if bias is None else bias, (0, spare), value=ABSENT)
    logits = (query * query.shape[-1] ** -0.5) @ key.mT
    if bias is not None:
        logits += bias
    return logits.softmax(-1) @ value


def _swapped(shape: torch.Size) -> tuple[int, int, int]:
    return shape[1], shape[0], shape[2]


def _flat_bias(bias: Tensor | None, lead: torch.Size) -> Tensor | None:
    """The bias with its leading axes as one; of size 1 where all sets share it, so that it is not copied."""
    if bias is None:
        return None
    if bias.shape[:-3].numel() == 1:
        return bias.reshape(1, *bias.shape[-3:])
    return bias.expand(*lead, *bias.shape[-3:]).reshape(-1, *bias.shape[-3:])
