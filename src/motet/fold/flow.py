"""The flow network: from noised frames to clean ones, by invariant point attention.

Our own design from published parts: AlphaFold2's structure module (Jumper et al. 2021), a light pair stack without
attention, and the denoising objective of flow matching on frames (Yim et al. 2023, arXiv:2310.05297).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..errors import ConfigError
from ..geometry import Rigid, quaternion_of
from ..nn import (
    LayerNorm,
    Transition,
    TriangleMultiplicationIncoming,
    TriangleMultiplicationOutgoing,
)
from .config import StructureConfig
from .flow_inputs import PROFILE, FlowInputs
from .frames import Frames
from .residues import UNKNOWN
from .structure_module import FoldStep, TorsionNetwork
from .torsions import PSI

UNIT = 10.0  # Å in a unit of translations inside the network
_CONDITIONS = 3  # whether there is a profile, a reference, and how far that is displaced
_NO_LENGTH = 1e-8  # added to squared distances, so that the root has a gradient at 0


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Sizes of the network.

    Args:
        c_single: Channels of a residue.
        c_pair: Channels of a pair of residues.
        pair_blocks: Blocks of the pair stack.
        c_triangle: Channels of a triangle update.
        blocks: Steps of the structure part, each with its own weights.
        heads: Heads of point attention.
        c_head: Channels of a head.
        query_points: Points of a query.
        value_points: Points of a value.
        waves: Waves that tell the level.
        bins: Smooth bins of a distance, from 2 Å to 30 Å.
        farthest_neighbour: In sequence; beyond it all distances are one.
    """

    c_single: int = 128
    c_pair: int = 32
    pair_blocks: int = 2
    c_triangle: int = 16
    blocks: int = 4
    heads: int = 8
    c_head: int = 16
    query_points: int = 4
    value_points: int = 8
    waves: int = 8
    bins: int = 16
    farthest_neighbour: int = 32

    def __post_init__(self) -> None:
        if min(self.c_single, self.c_pair, self.blocks, self.heads, self.bins) < 1 or self.pair_blocks < 0:
            raise ConfigError("a flow network needs channels, heads, bins and blocks, at least 1 of each.")

    @property
    def structure(self) -> StructureConfig:
        """Sizes of the parts that are AlphaFold2's."""
        return StructureConfig(
            heads=self.heads,
            c_head=self.c_head,
            query_points=self.query_points,
            value_points=self.value_points,
            c_angles=self.c_single,
            dropout=0.0,
        )


@dataclass(frozen=True, eq=False)
class FlowPrediction:
    """What the network takes the clean structure to be.

    Args:
        course: Frames after each block, in Å; the last are the answer.
        torsions: Sine and cosine of ω, φ, ψ, χ1 to χ4; those that the training data lack mean nothing.
    """

    course: tuple[Rigid, ...]
    torsions: Float[Tensor, "*batch residues 7 2"]

    @property
    def clean(self) -> Rigid:
        """The frames, in Å."""
        return self.course[-1]

    @property
    def psi(self) -> Float[Tensor, "*batch residues 2"]:
        """Sine and cosine of ψ."""
        return self.torsions[..., PSI, :]


class FlowNetwork(nn.Module):
    """Predicts clean frames from noised ones; what it says turns and shifts with what it sees."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        shape = config.structure
        told = UNKNOWN + 1 + PROFILE + _CONDITIONS + 2 * config.waves
        self.embed = nn.Linear(told, config.c_single)
        self.pairs = PairStack(config)
        self.norm = LayerNorm(config.c_single)
        self.steps = nn.ModuleList(FoldStep(shape, config.c_single, config.c_pair) for _ in range(config.blocks))
        self.torsions = TorsionNetwork(shape, config.c_single)
        for step in self.steps:
            assert isinstance(step, FoldStep)
            nn.init.zeros_(step.backbone_update.weight)  # an untrained network takes the noise to be the structure
            nn.init.zeros_(step.backbone_update.bias)

    def forward(
        self,
        inputs: FlowInputs,
        noised: Rigid,
        level: Float[Tensor, "*batch"],
        previous: Float[Tensor, "*batch residues 3"] | None = None,
    ) -> FlowPrediction:
        """The clean frames.

        Args:
            inputs: What is known of the protein.
            noised: Its frames at `level`, in Å.
            level: 0 for a structure, 1 for noise.
            previous: Cα of an earlier prediction at a higher level: self-conditioning (Chen et al. 2022).
        """
        scale = torch.maximum(level, 1 - level)[..., None, None]
        places = noised.translation / scale  # a structure of its own size, or noise of its own
        single = self.norm(self.embed(self._told(inputs, level)))
        pair = self.pairs(single, inputs, places, previous)
        with torch.autocast(places.device.type, enabled=False):  # half precision is too coarse for places
            start = Rigid(noised.rotation, places)
            return self._structure(inputs, single.to(places.dtype), pair.to(places.dtype), start, level)

    def _structure(
        self, inputs: FlowInputs, single: Tensor, pair: Tensor, start: Rigid, level: Tensor
    ) -> FlowPrediction:
        initial = single
        frames = Frames(quaternion_of(start.rotation), start.translation / UNIT)
        reach = self._reach(level)
        course: list[Rigid] = []
        for step in self.steps:
            assert isinstance(step, FoldStep)
            single = step.informed(single, pair, frames.without_rotation_gradient(), inputs.presence)
            frames = frames.without_rotation_gradient().updated(step.backbone_update(single) * reach)
            course.append(frames.rigid(UNIT))
        return FlowPrediction(tuple(course), self.torsions(single, initial))

    def _told(self, inputs: FlowInputs, level: Tensor) -> Float[Tensor, "*batch residues told"]:
        """All that a residue knows by itself."""
        kinds = nn.functional.one_hot(inputs.residue_types, UNKNOWN + 1).to(level)
        profile = inputs.profile * inputs.profile_presence[..., None, None]
        trust = inputs.reference_presence * inputs.reference_noise / UNIT
        waves = level[..., None] * math.pi * 2.0 ** torch.arange(self.config.waves, device=level.device)
        whole = (inputs.profile_presence, inputs.reference_presence, trust)
        told = torch.cat((torch.stack(whole, -1), waves.sin(), waves.cos()), -1)
        return torch.cat((kinds, profile, told[..., None, :].expand(*kinds.shape[:-1], -1)), -1)

    def _reach(self, level: Tensor) -> Float[Tensor, "*batch 1 1"]:
        """How far a block is asked to move frames: less where there is little noise to take out."""
        return (0.1 + 2 * level).clamp_max(1.0)[..., None, None]


class PairStack(nn.Module):
    """What pairs of residues know: where they are in the chain, and how far apart in three places."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.farthest = config.farthest_neighbour
        self.bins = config.bins
        self.left = nn.Linear(config.c_single, config.c_pair)
        self.right = nn.Linear(config.c_single, config.c_pair)
        self.along = nn.Embedding(2 * config.farthest_neighbour + 2, config.c_pair)
        self.apart = nn.Linear(3 * config.bins, config.c_pair)
        self.blocks = nn.ModuleList(PairBlock(config) for _ in range(config.pair_blocks))
        self.norm = LayerNorm(config.c_pair)

    def forward(
        self,
        single: Float[Tensor, "*batch residues c_single"],
        inputs: FlowInputs,
        places: Float[Tensor, "*batch residues 3"],
        previous: Float[Tensor, "*batch residues 3"] | None,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The pair representation, `places` being the noised ones, in Å."""
        known = inputs.reference_presence[..., None, None, None]
        seen = [smooth_bins(places, self.bins), known * smooth_bins(inputs.reference, self.bins)]
        seen.append(torch.zeros_like(seen[0]) if previous is None else smooth_bins(previous, self.bins))
        pair = self.apart(torch.cat(seen, -1)) + self.along(self._relative(inputs))
        pair = pair + self.left(single)[..., :, None, :] + self.right(single)[..., None, :, :]
        both = inputs.presence[..., :, None] * inputs.presence[..., None, :]
        for block in self.blocks:
            pair = block(pair, both)
        return self.norm(pair)

    def _relative(self, inputs: FlowInputs) -> Int[Tensor, "*batch residues residues"]:
        """Places apart in the chain; one number more for another chain."""
        apart = inputs.numbers[..., :, None] - inputs.numbers[..., None, :]
        apart = apart.clamp(-self.farthest, self.farthest) + self.farthest
        same = inputs.chains[..., :, None] == inputs.chains[..., None, :]
        return torch.where(same, apart, 2 * self.farthest + 1)


class PairBlock(nn.Module):
    """Triangles and a transition: Jumper et al. (2021), Suppl. Alg. 11, 12 and 15."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.outgoing = TriangleMultiplicationOutgoing(c_pair=config.c_pair, c_hidden=config.c_triangle)
        self.incoming = TriangleMultiplicationIncoming(c_pair=config.c_pair, c_hidden=config.c_triangle)
        self.transition = Transition(channels=config.c_pair, factor=2)

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"],
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The pair representation, a block later."""
        pair = pair + self.outgoing(pair, presence)
        pair = pair + self.incoming(pair, presence)
        return pair + self.transition(pair)


def smooth_bins(
    places: Float[Tensor, "*batch residues 3"], bins: int, first: float = 2.0, last: float = 30.0
) -> Float[Tensor, "*batch residues residues bins"]:
    """How near the distance of two residues is to each of some lengths, closer together where they are short."""
    apart = places[..., :, None, :] - places[..., None, :, :]
    distance = (apart.square().sum(-1, keepdim=True) + _NO_LENGTH).sqrt()
    rank = torch.arange(bins, device=places.device, dtype=places.dtype) / max(bins - 1, 1)
    step = math.log(last / first) / max(bins - 1, 1)
    return (-0.5 * ((distance / first).log() / step - rank * (bins - 1)).square()).exp()
