"""Attention that sees residues as frames in space."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from .execution import PLAIN, Execution, in_chunks

_ABSENT = 1e5
_NO_LENGTH = 1e-8  # added to squared lengths, so that the root has a gradient at 0


class InvariantPointAttention(nn.Module):
    """InvariantPointAttention: Jumper et al. (2021), Suppl. Alg. 22.

    Nothing in it changes when all frames are moved together.
    """

    def __init__(
        self,
        *,
        c_single: int,
        c_pair: int,
        heads: int = 12,
        c_head: int = 16,
        query_points: int = 4,
        value_points: int = 8,
    ) -> None:
        super().__init__()
        self.heads, self.c_head = heads, c_head
        self.query_points, self.value_points = query_points, value_points
        self.to_query = nn.Linear(c_single, heads * c_head)
        self.to_key_value = nn.Linear(c_single, heads * 2 * c_head)
        self.to_query_points = nn.Linear(c_single, 3 * heads * query_points)
        self.to_key_value_points = nn.Linear(c_single, 3 * heads * (query_points + value_points))
        self.to_bias = nn.Linear(c_pair, heads)
        self.point_weights = nn.Parameter(torch.tensor([math.log(math.e - 1)] * heads))  # softplus of it is 1
        self.to_out = nn.Linear(heads * (c_head + 4 * value_points + c_pair), c_single)

    def forward(
        self,
        single: Float[Tensor, "*batch residues c_single"],
        pair: Float[Tensor, "*batch residues residues c_pair"],
        rotation: Float[Tensor, "*batch residues 3 3"],
        translation: Float[Tensor, "*batch residues 3"],
        presence: Float[Tensor, "*batch residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues c_single"]:
        """The update of `single`; frames in units of 10 Å, as in AlphaFold2."""
        query = self.to_query(single).unflatten(-1, (self.heads, -1))
        key, value = self.to_key_value(single).unflatten(-1, (self.heads, 2, -1)).unbind(-2)
        query_points = self._points(self.to_query_points(single), rotation, translation)
        points = self._points(self.to_key_value_points(single), rotation, translation)
        key_points, value_points = points.split((self.query_points, self.value_points), -2)

        def attend(
            query: Tensor,
            query_points: Tensor,
            pair: Tensor,
            rotation: Tensor,
            translation: Tensor,
            there: Tensor | None,
        ) -> Tensor:
            logits = self._logits(query, key, query_points, key_points, pair)
            if there is not None and presence is not None:
                logits = logits - _ABSENT * (1 - there[..., None, :, None] * presence[..., None, None, :])
            return self._gather(logits.softmax(-1), value, value_points, pair, rotation, translation)

        per_row = single.element_size() * single.shape[:-1].numel() * self.heads * (3 * self.query_points + 4)
        inputs = (query, query_points, pair, rotation, translation, presence)
        return self.to_out(in_chunks(attend, execution, per_row, single.dim() - 2, *inputs))

    def _points(self, flat: Tensor, rotation: Tensor, translation: Tensor) -> Tensor:
        """Points in the common frame, `*batch residues heads points 3`, from all x, then all y, then all z."""
        local = flat.unflatten(-1, (3, -1)).transpose(-1, -2)
        moved = local @ rotation.transpose(-1, -2) + translation[..., None, :]
        return moved.unflatten(-2, (self.heads, -1))

    def _logits(
        self, query: Tensor, key: Tensor, query_points: Tensor, key_points: Tensor, pair: Tensor
    ) -> Tensor:
        """Each of the three terms has the variance 1/3 at the start of training: `*batch heads queries keys`."""
        scalar = query.transpose(-2, -3) @ key.movedim(-3, -1) / math.sqrt(3 * self.c_head)
        apart = _squared_distances(query_points, key_points)
        scale = math.sqrt(1 / (3 * self.query_points * 9 / 2))
        weight = -0.5 * scale * softplus(self.point_weights)[:, None, None]
        return scalar + weight * apart + math.sqrt(1 / 3) * self.to_bias(pair).movedim(-1, -3)

    def _gather(
        self,
        weights: Tensor,
        value: Tensor,
        value_points: Tensor,
        pair: Tensor,
        rotation: Tensor,
        translation: Tensor,
    ) -> Tensor:
        """What each residue learns: values, points in its own frame, their distances, and pairs."""
        scalar = (weights @ value.transpose(-2, -3)).transpose(-2, -3).flatten(-2)
        spots = value_points.transpose(-3, -4).flatten(-2)  # heads keys (points 3)
        spots = (
            (weights @ spots).unflatten(-1, (-1, 3)).transpose(-3, -4).flatten(-3, -2)
        )  # queries (heads points) 3
        local = (spots - translation[..., None, :]) @ rotation
        lengths = (local.square().sum(-1) + _NO_LENGTH).sqrt()
        pairs = (weights.transpose(-2, -3) @ pair).flatten(-2)
        return torch.cat((scalar, *local.unbind(-1), lengths, pairs), -1)


def _squared_distances(
    queries: Float[Tensor, "*batch queries heads points 3"], keys: Float[Tensor, "*batch keys heads points 3"]
) -> Float[Tensor, "*batch heads queries keys"]:
    """Summed over the points, by one product of matrices; about the middle of the keys, so that little is lost."""
    middle = keys.detach().mean((-4, -2), keepdim=True)
    queries, keys = ((one - middle).flatten(-2).transpose(-2, -3) for one in (queries, keys))
    lengths = queries.square().sum(-1)[..., :, None] + keys.square().sum(-1)[..., None, :]
    return (lengths - 2 * queries @ keys.transpose(-1, -2)).clamp_min(0)
