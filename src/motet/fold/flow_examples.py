"""What the flow network learns from: proteins in one state or two, cropped, noised and put into batches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from ..geometry import Rigid, dihedral, superposed
from .flow_inputs import FlowInputs, stacked
from .flow_losses import FlowTarget
from .flow_path import FlowPath

PROFILE_SHOWN, REFERENCE_SHOWN = 0.6, 0.5  # shares of the crops that are told what is known
DISPLACED, DISPLACED_OF_ONE = (
    0.3,
    3.0,
)  # Å at least; and what is added at most where the state given is the one wanted
NOISY, HALF = 0.15, 0.5  # share of the crops above the level, which mostly stays below what unfolds
LEAST, MOST = 0.01, 0.49  # least level, and the width of both halves


@dataclass(frozen=True, eq=False)
class FlowExample:
    """A protein to learn from.

    Args:
        inputs: Residues, and the profile where there is one.
        backbone: N, Cα, C (and what else) of the state that is wanted, in Å.
        reference: The same of another state, which is given; None for a protein in one state.
    """

    inputs: FlowInputs
    backbone: Float[Tensor, "residues atoms 3"]
    reference: Float[Tensor, "residues atoms 3"] | None = None

    def __len__(self) -> int:
        return len(self.backbone)


@dataclass(frozen=True, eq=False)
class FlowBatch:
    """What the network sees, the truth, and the noise between them."""

    inputs: FlowInputs
    target: FlowTarget
    noise: Rigid
    level: Float[Tensor, "proteins"]

    def to(self, device: torch.device) -> "FlowBatch":
        """The same on another device."""
        return _moved(self, device)


def batch_of(
    examples: Sequence[FlowExample],
    path: FlowPath,
    crop: int,
    draws: torch.Generator,
    level: Float[Tensor, "proteins"] | None = None,
) -> FlowBatch:
    """Crops at random places, with profile and reference dropped at random, and noise."""
    inputs, backbones = zip(*(_cropped(one, crop, draws) for one in examples), strict=True)
    together = stacked(inputs)
    longest = together.presence.shape[-1]
    places = torch.stack([pad(one, (0, 0, 0, 0, 0, longest - len(one))) for one in backbones])
    frames = Rigid.from_three_points(places[:, :, 0], places[:, :, 1], places[:, :, 2])
    there = together.presence[..., None, None]
    rotation = frames.rotation * there + torch.eye(3) * (1 - there)
    following = torch.cat((places[:, 1:, 0], places[:, -1:, 0]), 1)
    psi = dihedral(places[:, :, 0], places[:, :, 1], places[:, :, 2], following)
    known = torch.cat((together.follows[:, 1:], torch.zeros(len(examples), 1)), 1)
    target = FlowTarget(Rigid(rotation, frames.translation), torch.stack((psi.sin(), psi.cos()), -1), known)
    chosen = _levels(len(examples), draws) if level is None else level
    return FlowBatch(together, target, path.noise(together, draws), chosen)


def _levels(count: int, draws: torch.Generator) -> Float[Tensor, "proteins"]:
    """Mostly those that a structure is disturbed to; sometimes all the way to noise."""
    high = torch.rand(count, generator=draws) < NOISY
    share = torch.rand(count, generator=draws)
    return torch.where(high, HALF + MOST * share, LEAST + MOST * share)


def _cropped(one: FlowExample, crop: int, draws: torch.Generator) -> tuple[FlowInputs, Tensor]:
    """Inputs and backbone of one crop, about the middle of its Cα."""
    spare = len(one) - crop
    start = int(torch.randint(spare + 1, (), generator=draws)) if spare > 0 else 0
    part = slice(start, start + crop)
    backbone = one.backbone[part]
    backbone = backbone - backbone[:, 1].mean(0)
    inputs = one.inputs.part(part)
    profile, reference, amount, _ = torch.rand(4, generator=draws)
    if profile >= PROFILE_SHOWN:
        inputs = replace(inputs, profile_presence=torch.zeros_like(inputs.profile_presence))
    if one.reference is not None or reference < REFERENCE_SHOWN:
        given = backbone if one.reference is None else one.reference[part]
        amplitude = DISPLACED + (DISPLACED_OF_ONE if one.reference is None else 1.0) * amount
        shift = FlowPath(spread=float(amplitude)).noise(inputs, draws).translation
        inputs = inputs.with_reference(superposed(given[:, 1], backbone[:, 1]) + shift, amplitude)
    return inputs, backbone


def _moved(value: Any, device: torch.device) -> Any:
    """A tensor, or a record of tensors, on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    return type(value)(**{name: _moved(one, device) for name, one in vars(value).items()})
