"""Tokens that attend to each other, as particles: the dynamics of self-attention, and the clusters it makes.

Geshkovski, Letrouit, Polyanskiy, Rigollet, The emergence of clusters in self-attention dynamics (NeurIPS 2023),
and A mathematical perspective on transformers (Bull. AMS 62, 427, 2025). A layer is a step of time; every token
moves with the mean of the others' values, weighed by P = softmax(β⟨Qx, Kx⟩).
"""

from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import ConfigError, NonFiniteError


class Space(StrEnum):
    """Where tokens live: `flat` (unnormalised), `rescaled` (flat, seen through e^(-tV)), or the unit `sphere`."""

    FLAT = "flat"
    RESCALED = "rescaled"
    SPHERE = "sphere"


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionFlow:
    """One head of self-attention with constant weights; a matrix left out is the identity.

    Args:
        space: Flat x' = Σ P V x; rescaled z' = Σ P V (z_j - z_i) with z = e^(-tV) x; sphere: flat, projected on
            the tangent plane.
        query, key, value: Matrices Q, K and V, or a batch of them.
        beta: Inverse temperature of the attention.
        causal: Whether a token attends to itself and those before it only.
        step: Step of the integration (classical Runge-Kutta, fourth order).
    """

    space: Space = Space.SPHERE
    query: Float[Tensor, "*#batch inner dims"] | None = None
    key: Float[Tensor, "*#batch inner dims"] | None = None
    value: Float[Tensor, "*#batch dims dims"] | None = None
    beta: float = 1.0
    causal: bool = False
    step: float = 0.05

    def __post_init__(self) -> None:
        if not self.step > 0 or not self.beta >= 0:
            raise ConfigError(f"step={self.step} must be above 0, and beta={self.beta} 0 or more.")

    def attention(
        self,
        tokens: Float[Tensor, "*batch tokens dims"],
        masses: Float[Tensor, "tokens"] | None = None,
        time: float = 0.0,
    ) -> Float[Tensor, "*batch tokens tokens"]:
        """P: how much each token (row) attends to each (column); `masses` count a token as several.

        `time` matters to rescaled tokens only, which attend as the flat tokens e^(tV) z.
        """
        if self.space is Space.RESCALED:
            tokens = _applied(self._growth(tokens, time), tokens)
        queries, keys = _applied(self.query, tokens), _applied(self.key, tokens)
        logits = self.beta * queries @ keys.mT
        if masses is not None:
            logits = logits + masses.log()
        if self.causal:
            later = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).triu(1)
            logits = logits.masked_fill(later, -torch.inf)
        return logits.softmax(-1)

    def velocity(
        self,
        tokens: Float[Tensor, "*batch tokens dims"],
        masses: Float[Tensor, "tokens"] | None = None,
        time: float = 0.0,
    ) -> Float[Tensor, "*batch tokens dims"]:
        """How each token moves."""
        mean = self.attention(tokens, masses, time) @ tokens
        if self.space is Space.RESCALED:
            mean = mean - tokens
        pull = _applied(self.value, mean)
        if self.space is Space.SPHERE:
            pull = pull - (pull * tokens).sum(-1, keepdim=True) * tokens
        return pull

    def moved(
        self,
        tokens: Float[Tensor, "*batch tokens dims"],
        time: float,
        masses: Float[Tensor, "tokens"] | None = None,
        since: float = 0.0,
    ) -> Float[Tensor, "*batch tokens dims"]:
        """Tokens after `time`; on the sphere they are brought to unit length first, and kept there.

        Raises:
            NonFiniteError: The tokens have grown beyond what their number type holds.
        """
        if self.space is Space.SPHERE:
            tokens = normalize(tokens, dim=-1)
        steps = max(1, -(-round(time / self.step, 9) // 1)) if time > 0 else 0
        stride = time / steps if steps else 0.0
        for number in range(int(steps)):
            tokens = self._stepped(tokens, masses, since + number * stride, stride)
        if not tokens.isfinite().all():
            raise NonFiniteError(
                "tokens that attend to each other (rescale them, or integrate for a shorter time)"
            )
        return tokens

    def _stepped(self, x: Tensor, masses: Tensor | None, time: float, stride: float) -> Tensor:
        half = stride / 2
        a = self.velocity(x, masses, time)
        b = self.velocity(x + half * a, masses, time + half)
        c = self.velocity(x + half * b, masses, time + half)
        d = self.velocity(x + stride * c, masses, time + stride)
        x = x + stride / 6 * (a + 2 * b + 2 * c + d)
        return normalize(x, dim=-1) if self.space is Space.SPHERE else x

    def _growth(self, like: Tensor, time: float) -> Tensor:
        """e^(tV)."""
        value = torch.eye(like.shape[-1]).to(like) if self.value is None else self.value
        return torch.matrix_exp(time * value)


def interaction_energy(tokens: Float[Tensor, "*batch tokens dims"], beta: float) -> Float[Tensor, "*batch"]:
    """E_β = Σ exp(β⟨x_i, x_j⟩) / (2βn²); self-attention on the sphere with Q = K = V = 1 climbs it.

    Source: Geshkovski et al. (2025), eq. (3.4). β must be above 0.
    """
    if not beta > 0:
        raise ConfigError(f"beta={beta} must be above 0: E_β divides by it.")
    return (beta * tokens @ tokens.mT).exp().sum((-1, -2)) / (2 * beta * tokens.shape[-2] ** 2)


def orthogonal_speed(cosine: Float[Tensor, "*batch"], tokens: int, beta: float) -> Float[Tensor, "*batch"]:
    """ρ', where n tokens on the sphere that began orthogonal all have the cosine ρ between them.

    Source: Geshkovski et al. (2025), theorem 6.8: ρ' = 2e^(βρ)(1-ρ)((n-1)ρ+1) / (e^β+(n-1)e^(βρ)).
    """
    weight = (beta * (cosine - 1)).exp()
    return 2 * weight * (1 - cosine) * ((tokens - 1) * cosine + 1) / (1 + (tokens - 1) * weight)


def leadership(attention: Float[Tensor, "*batch tokens tokens"]) -> Float[Tensor, "*batch tokens"]:
    """How much attention each token receives: the column sums of P; a leader's is large."""
    return attention.sum(-2)


def booleanness(attention: Float[Tensor, "*batch tokens tokens"]) -> Float[Tensor, "*batch"]:
    """Mean of the largest weight of each row: 1 when every token attends to one only."""
    return attention.amax(-1).mean(-1)


def _applied(matrix: Tensor | None, tokens: Tensor) -> Tensor:
    return tokens if matrix is None else tokens @ matrix.mT
