"""From representations to structure: residues as free frames, moved by attention."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import relu

from ..nn import PLAIN, Execution, InvariantPointAttention, LayerNorm
from .atoms import AllAtoms, Placed, in_shared_places
from .config import StructureConfig
from .frames import Frames
from .representations import presence_or_none

_SHORTEST = 1e-12  # squared length below which a torsion has no direction


@dataclass(frozen=True, eq=False)
class Folded:
    """A structure.

    Args:
        single: What each residue knows at the end, for the confidence.
        frames: Backbone frames after every iteration.
        torsions: Sine and cosine of ω, φ, ψ, χ1 to χ4.
        placed: Rigid groups and atoms in their 14 own places, in Å.
        positions: Atoms in the 37 shared places, in Å.
        atom_presence: Which of them exist.
    """

    single: Float[Tensor, "*batch residues c_single"]
    frames: tuple[Frames, ...]
    torsions: Float[Tensor, "*batch residues 7 2"]
    placed: Placed
    positions: Float[Tensor, "*batch residues 37 3"]
    atom_presence: Float[Tensor, "*batch residues 37"]


class StructureModule(nn.Module):
    """StructureModule: Jumper et al. (2021), Suppl. Alg. 20; one set of weights for all iterations."""

    def __init__(self, config: StructureConfig, c_single: int, c_pair: int) -> None:
        super().__init__()
        self.config = config
        self.norm_single = LayerNorm(c_single)
        self.norm_pair = LayerNorm(c_pair)
        self.project = nn.Linear(c_single, c_single)
        self.step = FoldStep(config, c_single, c_pair)
        self.torsions = TorsionNetwork(config, c_single)
        self.atoms = AllAtoms()

    def forward(
        self,
        single: Float[Tensor, "*batch residues c_single"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        residue_types: Int[Tensor, "*batch residues"],
        residue_presence: Float[Tensor, "*batch residues"],
        execution: Execution = PLAIN,
    ) -> Folded:
        """The structure, in Å."""
        presence = presence_or_none(residue_presence)
        initial, pair = self.norm_single(single), self.norm_pair(pair)
        single, frames = self.project(initial), Frames.at_origin(initial)
        course: list[Frames] = []
        for _ in range(self.config.iterations):
            single, frames = self.step(single, pair, frames.without_rotation_gradient(), presence, execution)
            course.append(frames)
        torsions = self.torsions(single, initial)
        placed = self.atoms(residue_types, frames.rigid(self.config.unit), torsions)
        return Folded(single, tuple(course), torsions, placed, *in_shared_places(residue_types, placed.positions))


class FoldStep(nn.Module):
    """One iteration of the structure module: Jumper et al. (2021), Suppl. Alg. 20, lines 6 to 10."""

    def __init__(self, config: StructureConfig, c_single: int, c_pair: int) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.attention = InvariantPointAttention(
            c_single=c_single,
            c_pair=c_pair,
            heads=config.heads,
            c_head=config.c_head,
            query_points=config.query_points,
            value_points=config.value_points,
        )
        self.norm_attention = LayerNorm(c_single)
        self.transition = nn.ModuleList(nn.Linear(c_single, c_single) for _ in range(config.transition_layers))
        self.norm_transition = LayerNorm(c_single)
        self.backbone_update = nn.Linear(c_single, 6)

    def forward(
        self,
        single: Float[Tensor, "*batch residues c_single"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        frames: Frames,
        presence: Float[Tensor, "*batch residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> tuple[Float[Tensor, "*batch residues c_single"], Frames]:
        """What the residues know, and where they are, afterwards."""
        single = self.informed(single, pair, frames, presence, execution)
        return single, frames.updated(self.backbone_update(single))

    def informed(
        self,
        single: Float[Tensor, "*batch residues c_single"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        frames: Frames,
        presence: Float[Tensor, "*batch residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues c_single"]:
        """What the residues know after they have looked around, while they stay where they are."""
        single = single + self.attention(single, pair, frames.rotation, frames.translation, presence, execution)
        single = self.norm_attention(_dropped(single, self.dropout, execution))
        update = single
        for layer in self.transition[:-1]:
            update = relu(layer(update))
        single = _dropped(single + self.transition[-1](update), self.dropout, execution)
        return self.norm_transition(single)


class TorsionNetwork(nn.Module):
    """The seven torsions of a residue: Jumper et al. (2021), Suppl. Alg. 20, lines 11 to 14."""

    def __init__(self, config: StructureConfig, c_single: int) -> None:
        super().__init__()
        self.project = nn.Linear(c_single, config.c_angles)
        self.project_initial = nn.Linear(c_single, config.c_angles)
        self.blocks = nn.ModuleList(AngleBlock(config.c_angles) for _ in range(config.angle_blocks))
        self.to_torsions = nn.Linear(config.c_angles, 14)

    def forward(
        self,
        single: Float[Tensor, "*batch residues c_single"],
        initial: Float[Tensor, "*batch residues c_single"],
    ) -> Float[Tensor, "*batch residues 7 2"]:
        """Sine and cosine of ω, φ, ψ, χ1 to χ4, on the unit circle."""
        x = self.project(relu(single)) + self.project_initial(relu(initial))
        for block in self.blocks:
            x = block(x)
        raw = self.to_torsions(relu(x)).unflatten(-1, (7, 2))
        return raw / raw.square().sum(-1, keepdim=True).clamp(min=_SHORTEST).sqrt()


class AngleBlock(nn.Module):
    """Two layers around which the input passes: Suppl. Alg. 20, lines 12 and 13."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Linear(channels, channels)
        self.second = nn.Linear(channels, channels)

    def forward(self, x: Float[Tensor, "*batch channels"]) -> Float[Tensor, "*batch channels"]:
        """The input, corrected."""
        return x + self.second(relu(self.first(relu(x))))


def _dropped(x: Tensor, rate: float, execution: Execution) -> Tensor:
    """Plain dropout, an own draw for each number."""
    if execution.dropout is None or rate == 0:
        return x
    draws = torch.rand(x.shape, generator=execution.dropout, device=x.device, dtype=torch.float32)
    return x * ((draws >= rate) / (1 - rate)).to(x.dtype)
