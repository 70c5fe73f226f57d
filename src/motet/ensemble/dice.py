"""Random numbers for a batch of walkers, each from a source of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Dice:
    """One generator a walker: what a walker draws does not depend on who walks beside it."""

    sources: tuple[torch.Generator, ...]

    @classmethod
    def seeded(cls, seeds: Sequence[int], device: torch.device) -> "Dice":
        """Generators with these seeds."""
        return cls(tuple(torch.Generator(device).manual_seed(seed) for seed in seeds))

    def uniform(self, count: int) -> Float[Tensor, "walkers count"]:
        """Numbers between 0 and 1."""
        return torch.stack(
            [torch.rand(count, generator=one, device=one.device, dtype=torch.float64) for one in self.sources]
        )

    def normal(self, count: int) -> Float[Tensor, "walkers count"]:
        """Standard normal numbers."""
        return torch.stack(
            [torch.randn(count, generator=one, device=one.device, dtype=torch.float64) for one in self.sources]
        )

    def choice(self, weights: Float[Tensor, "walkers options"]) -> Int[Tensor, "walkers"]:
        """One option a walker, in proportion to its weights, which need not sum to one."""
        total = weights.cumsum(-1)
        mark = self.uniform(1) * total[:, -1:]
        return (total <= mark).sum(-1).clamp_max(weights.shape[-1] - 1)

    def pack(self) -> Tensor:
        """States of all sources."""
        return torch.stack([one.get_state() for one in self.sources])

    @classmethod
    def unpack(cls, states: Tensor, device: torch.device) -> "Dice":
        """Sources with these states."""
        sources = tuple(torch.Generator(device) for _ in range(len(states)))
        for source, state in zip(sources, states, strict=True):
            source.set_state(state.cpu().clone())  # torch crashes on a view
        return cls(sources)
