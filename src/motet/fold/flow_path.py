"""The path of the flow: from residue frames (level 0) straight to noise (level 1), and back step by step.

Flow matching: Lipman et al. (2023), arXiv:2210.02747; on frames of residues: Yim et al. (2023), arXiv:2310.05297.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..geometry import Rigid, random_rotations, turned_towards
from .flow_inputs import FlowInputs


@dataclass(frozen=True, kw_only=True)
class FlowPath:
    """How noise is made, and mixed with a structure.

    Args:
        spread: Standard deviation of each coordinate of the noise, in Å.
        memory: Residues along the chain over which displacements are forgotten.
        shared: Share of the variance of displacements that neighbours in the chain have in common.
    """

    spread: float = 10.0
    memory: float = 8.0
    shared: float = 0.5

    def __post_init__(self) -> None:
        if self.spread <= 0 or self.memory <= 0 or not 0 <= self.shared <= 1:
            raise ConfigError("a flow's path needs spread > 0, memory > 0 and shared between 0 and 1.")

    def noise(self, inputs: FlowInputs, generator: torch.Generator) -> Rigid:
        """Frames at level 1: even rotations, and normal places that neighbours in the chain partly share."""
        shape, dtype = inputs.presence.shape, inputs.presence.dtype
        own, common = torch.randn((2, *shape, 3), generator=generator, device=generator.device, dtype=dtype)
        common = self._along(inputs) @ common
        places = (1 - self.shared) ** 0.5 * own + self.shared**0.5 * common
        return Rigid(random_rotations(shape, generator, dtype), self.spread * places)

    def between(self, clean: Rigid, noise: Rigid, level: Float[Tensor, "*#batch"]) -> Rigid:
        """Frames at a level: on the straight way for places, on the shortest for rotations."""
        places = torch.lerp(clean.translation, noise.translation, level[..., None, None])
        return Rigid(turned_towards(clean.rotation, noise.rotation, level[..., None]), places)

    def onward(
        self,
        noised: Rigid,
        clean: Rigid,
        level: Float[Tensor, "*#batch"],
        target: Float[Tensor, "*#batch"],
    ) -> Rigid:
        """Frames at a lower level, had the clean ones been these: one step of the flow, exact where they are."""
        share = target / level.clamp_min(torch.finfo(level.dtype).tiny)
        return self.between(clean, noised, share)

    def displacement(self, level: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Standard deviation of the noise in each coordinate, in Å, beside a structure of full size."""
        return self.spread * level / (1 - level).clamp_min(1e-3)

    def _along(self, inputs: FlowInputs) -> Float[Tensor, "*batch residues residues"]:
        """A square root of the covariance exp(-residues apart / memory), none between chains or with padding."""
        apart = (inputs.numbers[..., :, None] - inputs.numbers[..., None, :]).abs().to(torch.float64)
        same = inputs.chains[..., :, None] == inputs.chains[..., None, :]
        both = inputs.presence[..., :, None] * inputs.presence[..., None, :]
        covariance = (-apart / self.memory).exp() * same * both.double()
        alone = 1e-6 + (1 - inputs.presence.double())
        covariance = covariance + torch.diag_embed(alone)
        return torch.linalg.cholesky(covariance).to(inputs.presence.dtype)
