"""One step of training of the flow network, and all that is needed to go on with it later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .flow import FlowNetwork
from .flow_examples import FlowBatch
from .flow_losses import flow_losses, total
from .flow_path import FlowPath

DECAY, CLIP = 0.01, 1.0
SEEDS_APART = 1_000_003  # steps of one seed never meet those of the next
SELF_CONDITIONED = 0.25  # share of the steps that read an answer of their own
_PARTS = ("network", "average", "exp_avg", "exp_avg_sq")


def seeded(seed: int, step: int) -> torch.Generator:
    """The random numbers of one step of a training: they depend on nothing that came before it."""
    return torch.Generator().manual_seed(seed * SEEDS_APART + step)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast weights change.

    Args:
        rate: The highest rate.
        warm: Steps until it is reached.
        turnover: Steps from which on it falls with their root.
        memory: Of the moving average, in the long run.
    """

    rate: float = 1e-3
    warm: int = 100
    turnover: int = 800
    memory: float = 0.999

    def rate_at(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self.rate * min((step + 1) / self.warm, 1.0, (self.turnover / (step + 1)) ** 0.5)

    def memory_at(self, step: int) -> float:
        """How much of the moving average a step leaves."""
        return min(self.memory, (1 + step) / (10 + step))


class FlowLearner:
    """A network in training, the moving average of its weights, and how far it is."""

    def __init__(self, network: FlowNetwork, path: FlowPath, pace: Pace) -> None:
        self.network, self.path, self.pace = network, path, pace
        self.average = {name: value.detach().clone() for name, value in network.named_parameters()}
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=pace.rate, weight_decay=DECAY)
        self.step = 0

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def learn(
        self, batch: FlowBatch, draws: torch.Generator, forward: nn.Module | None = None
    ) -> dict[str, float]:
        """One step; the losses by name, and their weighted sum as `loss`.

        Args:
            batch: What to learn from.
            draws: Source of random numbers.
            forward: The network as it is to be called, where it is compiled or spread over processes.
        """
        losses = self._losses(batch.to(self.device), draws, forward or self.network)
        loss = total(losses).mean()
        for group in self.optimiser.param_groups:
            group["lr"] = self.pace.rate_at(self.step)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        memory = self.pace.memory_at(self.step)
        for name, value in self.network.named_parameters():
            self.average[name].lerp_(value.detach(), 1 - memory)
        self.step += 1
        return {"loss": float(loss.detach())} | {name: float(one.detach().mean()) for name, one in losses.items()}

    def _losses(self, batch: FlowBatch, draws: torch.Generator, forward: nn.Module) -> Mapping[str, Tensor]:
        noised = self.path.between(batch.target.frames, batch.noise, batch.level)
        previous = None
        # bfloat16 for the pairs on a GPU; the frames stay in float32
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            if torch.rand((), generator=draws) < SELF_CONDITIONED:
                with torch.no_grad():
                    previous = forward(batch.inputs, noised, batch.level).clean.translation
            prediction = forward(batch.inputs, noised, batch.level, previous)
        return flow_losses(prediction, batch.target, batch.inputs, batch.level, self.path)

    @torch.no_grad()
    def judged(self, batches: Sequence[FlowBatch]) -> float:
        """The mean loss of the moving average on batches that are not learnt from."""
        network, found = self.averaged(), []
        for batch in (one.to(self.device) for one in batches):
            noised = self.path.between(batch.target.frames, batch.noise, batch.level)
            prediction = network(batch.inputs, noised, batch.level)
            losses = flow_losses(prediction, batch.target, batch.inputs, batch.level, self.path)
            found.append(float(total(losses).mean()))
        return sum(found) / len(found)

    def averaged(self) -> FlowNetwork:
        """The network with the moving average of its weights."""
        network = FlowNetwork(self.network.config).to(self.device)
        network.load_state_dict(self.average, strict=False)
        return network.eval()

    def pack(self) -> dict[str, Tensor]:
        """All that the next step depends on, as named tensors."""
        packed = {"step": torch.tensor(self.step)}
        for name, value in self.network.named_parameters():
            moments = self.optimiser.state[value]
            each = (value, self.average[name], moments["exp_avg"], moments["exp_avg_sq"])
            packed |= {
                f"{part}.{name}": one.detach().cpu().contiguous() for part, one in zip(_PARTS, each, strict=True)
            }
        return packed

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` wrote."""
        self.step = int(tensors["step"])
        for name, value in self.network.named_parameters():
            weights, average, *moments = (tensors[f"{part}.{name}"].to(value.device) for part in _PARTS)
            value.data.copy_(weights)
            self.average[name].copy_(average)
            state: dict[str, Any] = dict(zip(_PARTS[2:], moments, strict=True))
            self.optimiser.state[value] = state | {"step": torch.tensor(float(self.step))}
