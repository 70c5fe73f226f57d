"""The network: a transformer over overlapping fragments that attends by physical interaction, beside bare physics.

The logit that a protein drives phase separation is a sum: what the physical layer says, by weights that can only
be positive, and what the network has learnt beyond it, which is bounded, so that physics cannot be switched off.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad, softplus

from ..nn import GatedSelfAttention, LayerNorm
from .disorder import Disorder
from .physics import DESCRIPTORS, FEWEST, NEIGHBOURHOOD, PairTables, PhysicalLayer, PhysicalView
from .sequences import LETTERS, SequenceBatch

STRIDE, FRAGMENT = 4, 8  # residues between the starts of two fragments, and in one
WINDOWS = (31, 101)  # residues over which disorder is averaged before its largest value is taken
_ABSENT = -1e4


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Size of the network, and what an ablation leaves out.

    Args:
        width: Channels of a token.
        heads: Heads of attention.
        blocks: Attention blocks.
        hidden: Width of the last layer but one.
        bound: Most that the learnt part can add to the logit, or take from it.
        dropout: Share of the last hidden layer that training leaves out.
        physics: Whether the physical layer is seen at all.
        learned: Whether anything but the physical layer is.
    """

    width: int = 32
    heads: int = 4
    blocks: int = 2
    hidden: int = 64
    bound: float = 4.0
    dropout: float = 0.3
    physics: bool = True
    learned: bool = True


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network says of each protein.

    Args:
        driver: Logit that it drives phase separation: the sum of the next two.
        by_physics: Share of the physical layer in it.
        by_learning: Share of what was learnt beyond physics.
        shares: Share of each physical descriptor.
        client: Logit that it is recruited by others.
        region: Logit of each residue that it belongs to a region that drives phase separation.
        disorder: Probability of disorder of each residue.
        view: What the physical layer says.
    """

    driver: Float[Tensor, "proteins"]
    by_physics: Float[Tensor, "proteins"]
    by_learning: Float[Tensor, "proteins"]
    shares: Float[Tensor, "proteins descriptors"]
    client: Float[Tensor, "proteins"]
    region: Float[Tensor, "proteins residues"]
    disorder: Float[Tensor, "proteins residues"]
    view: PhysicalView


class CondensateNetwork(nn.Module):
    """Sequence (and disorder or exposure, when a structure tells) to logits and their decomposition."""

    def __init__(self, settings: Settings | None = None, physics: PhysicalLayer | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        s = self.settings
        self.physics = physics or PhysicalLayer()
        self.disorder = Disorder()
        self.physics_weight = nn.Parameter(torch.zeros(len(DESCRIPTORS)))
        self.offset = nn.Parameter(torch.zeros(2))
        self.embed = nn.Conv1d(len(LETTERS) + 2, s.width, 5, padding=2)
        self.mix = nn.Parameter(0.1 * torch.randn(s.heads, len(self.physics.channels)))
        self.distance = nn.Parameter(torch.linspace(-6.0, 0.0, s.heads))
        self.blocks = nn.ModuleList(_Block(s) for _ in range(s.blocks))
        self.look = nn.Linear(s.width, 1)
        self.head = nn.Sequential(
            nn.Linear(_pooled_width(s), s.hidden), nn.GELU(), nn.Dropout(s.dropout), nn.Linear(s.hidden, 2)
        )
        self.region = nn.Linear(s.width + 2, 1)
        self.register_buffer("centre", torch.zeros(_plain_width()))
        self.register_buffer("scale", torch.ones(_plain_width()))

    centre: Float[Tensor, "plain"]
    scale: Float[Tensor, "plain"]

    def forward(
        self,
        batch: SequenceBatch,
        tables: PairTables,
        disorder: Float[Tensor, "proteins residues"] | None = None,
        available: Float[Tensor, "proteins residues"] | None = None,
        view: PhysicalView | None = None,
    ) -> Reading:
        """What the network says; of each protein the same, whatever else is in the batch.

        Args:
            batch: The sequences.
            tables: `physics.tables(conditions)`.
            disorder: Probability of disorder, where a structure tells it; else the network's own.
            available: How far each residue can meet others, where a structure tells; else its disorder.
            view: What the physical layer says, where that is known already.
        """
        loose = (self.disorder(batch).sigmoid() if disorder is None else disorder) * batch.present
        free = loose if available is None else available * batch.present
        seen = self.physics(batch, tables, free) if view is None else view
        tokens, there = self._tokens(batch, loose, seen, tables)
        plain = (self.plain(batch, loose, seen) - self.centre) / self.scale
        glance = torch.softmax(self.look(tokens).squeeze(-1).masked_fill(~there, _ABSENT), -1)
        pooled = torch.cat(((glance[..., None] * tokens).sum(1), plain.clamp(-4.0, 4.0)), -1)
        learned = self.settings.bound * torch.tanh(self.head(pooled) / self.settings.bound)
        if not self.settings.learned:
            learned = torch.zeros_like(learned)
        shares = seen.descriptors * softplus(self.physics_weight) * float(self.settings.physics)
        by_physics = self.offset[0] + shares.sum(-1)
        return Reading(
            driver=by_physics + learned[:, 0],
            by_physics=by_physics,
            by_learning=learned[:, 0],
            shares=shares,
            client=self.offset[1] + learned[:, 1],
            region=self._region(batch, tokens, loose, seen),
            disorder=loose,
            view=seen,
        )

    def plain(
        self, batch: SequenceBatch, disorder: Float[Tensor, "proteins residues"], view: PhysicalView
    ) -> Float[Tensor, "proteins plain"]:
        """Composition of the whole, the disordered and the ordered part, how much of each, and the descriptors."""
        types = batch.one_hot(disorder.dtype)
        ordered = (1.0 - disorder) * batch.present
        length = batch.lengths.to(disorder.dtype)
        parts = [
            types.sum(1) / length[:, None],
            (types * disorder[..., None]).sum(1) / (disorder.sum(-1) + FEWEST)[:, None],
            (types * ordered[..., None]).sum(1) / (ordered.sum(-1) + FEWEST)[:, None],
        ]
        amounts = [length.log(), disorder.sum(-1) / length, disorder.sum(-1).log1p(), ordered.sum(-1).log1p()]
        amounts += [_largest_mean(disorder, width) for width in WINDOWS]
        physical = view.descriptors if self.settings.physics else torch.zeros_like(view.descriptors)
        return torch.cat((*parts, torch.stack(amounts, -1), physical), -1)

    def _tokens(
        self, batch: SequenceBatch, disorder: Tensor, view: PhysicalView, tables: PairTables
    ) -> tuple[Tensor, Tensor]:
        """Fragments of the chain after they have seen each other, and which of them are there."""
        types = batch.one_hot(disorder.dtype)
        field = view.field if self.settings.physics else torch.zeros_like(view.field)
        seen = torch.cat((types, disorder[..., None], 10.0 * field[..., None]), -1) * batch.present[..., None]
        x = _fragments((self.embed(seen.mT) * batch.present[:, None]).mT)
        composition = _fragments(types)
        there = torch.arange(x.shape[1], device=x.device) * STRIDE < batch.lengths[:, None]
        bias = self._bias(composition, tables)
        bias = bias + torch.where(there, 0.0, _ABSENT)[:, None, None, :]
        for block in self.blocks:
            x = block(x, bias) * there[..., None]
        return x, there

    def _bias(self, composition: Float[Tensor, "proteins tokens 20"], tables: PairTables) -> Tensor:
        """What each head adds for a pair of fragments: their interaction map, and how far apart they lie."""
        place = torch.arange(composition.shape[1], device=composition.device, dtype=composition.dtype)
        apart = (place[:, None] - place).abs()
        distance = -softplus(self.distance)[:, None, None] * apart / 8.0
        if not self.settings.physics:
            return distance[None]
        contact = tables.contact / tables.contact.abs().amax((-2, -1), keepdim=True).clamp_min(1e-3)
        by_head = torch.einsum("hc,cij->hij", self.mix, contact)
        around = composition[:, None] @ by_head @ composition[:, None].mT
        return 4.0 * around + distance

    def _region(
        self, batch: SequenceBatch, tokens: Tensor, disorder: Tensor, view: PhysicalView
    ) -> Float[Tensor, "proteins residues"]:
        """Regions are long: what a residue's neighbourhood says on the mean."""
        spread = tokens.repeat_interleave(STRIDE, 1)[:, : disorder.shape[1]]
        field = view.field if self.settings.physics else torch.zeros_like(view.field)
        alone = self.region(torch.cat((spread, disorder[..., None], 10.0 * field[..., None]), -1)).squeeze(-1)
        there = batch.present.to(alone.dtype)
        total, count = (
            avg_pool1d(x[:, None], NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2).squeeze(1) for x in (alone * there, there)
        )
        return total / count.clamp_min(1e-6)


class _Block(nn.Module):
    """Self-attention among fragments, then each by itself."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.norm = LayerNorm(width)
        self.attention = GatedSelfAttention(channels=width, heads=settings.heads, c_head=width // settings.heads)
        self.transition = nn.Sequential(
            LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = x + self.attention(self.norm(x), bias)
        return x + self.transition(x)


def _fragments(x: Float[Tensor, "proteins residues channels"]) -> Float[Tensor, "proteins tokens channels"]:
    """Means over overlapping fragments; padding makes every window whole, wherever the batch ends."""
    count = -(-x.shape[1] // STRIDE)
    before = (FRAGMENT - STRIDE) // 2
    after = STRIDE * (count - 1) + FRAGMENT - before - x.shape[1]
    return avg_pool1d(pad(x.mT, (before, after)), FRAGMENT, STRIDE).mT


def _largest_mean(x: Float[Tensor, "proteins residues"], width: int) -> Float[Tensor, "proteins"]:
    """Largest mean over a window; beyond the ends of the chain there is nothing."""
    return avg_pool1d(x[:, None], width, 1, padding=width // 2, count_include_pad=True).amax((-2, -1))


def _plain_width() -> int:
    return 3 * len(LETTERS) + 4 + len(WINDOWS) + len(DESCRIPTORS)


def _pooled_width(settings: Settings) -> int:
    return settings.width + _plain_width()
