"""From features to the first representations."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear

from ..nn import LayerNorm
from .config import AlphaFoldConfig
from .distances import distogram, pseudo_beta
from .features import EXTRA_CHANNELS, MSA_CHANNELS, TARGET_CHANNELS, Features
from .representations import Recycled
from .residues import MASKED


class InputEmbedder(nn.Module):
    """InputEmbedder: Jumper et al. (2021), Suppl. Alg. 3."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        c_msa, c_pair = config.evoformer.c_msa, config.evoformer.c_pair
        self.target_to_left = nn.Linear(TARGET_CHANNELS, c_pair)
        self.target_to_right = nn.Linear(TARGET_CHANNELS, c_pair)
        self.target_to_msa = nn.Linear(TARGET_CHANNELS, c_msa)
        self.msa = nn.Linear(MSA_CHANNELS, c_msa)
        self.relative_position = RelativePosition(c_pair, config.farthest_neighbour)

    def forward(
        self,
        target: Float[Tensor, "*batch residues target"],
        msa: Float[Tensor, "*batch rows residues channels"],
    ) -> tuple[Float[Tensor, "*batch rows residues c_msa"], Float[Tensor, "*batch residues residues c_pair"]]:
        """The alignment and the pairs; relative positions are added apart."""
        pair = self.target_to_left(target)[..., :, None, :] + self.target_to_right(target)[..., None, :, :]
        return self.target_to_msa(target)[..., None, :, :] + self.msa(msa), pair


class RelativePosition(nn.Module):
    """relpos: Jumper et al. (2021), Suppl. Alg. 4 and 5."""

    def __init__(self, c_pair: int, farthest: int) -> None:
        super().__init__()
        self.farthest = farthest
        self.linear = nn.Linear(2 * farthest + 1, c_pair)

    def forward(self, index: Int[Tensor, "*batch residues"]) -> Float[Tensor, "*batch residues residues c_pair"]:
        """How far apart two residues are in sequence, and in which direction."""
        apart = index[..., :, None] - index[..., None, :]
        bins = (apart + self.farthest).clamp(0, 2 * self.farthest)
        return self.linear.weight.T[bins] + self.linear.bias  # the same as of a one-hot code


class RecyclingEmbedder(nn.Module):
    """RecyclingEmbedder: Jumper et al. (2021), Suppl. Alg. 32."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        self.bins = (config.first_recycled_bin, config.last_recycled_bin, config.recycled_bins)
        self.distances = nn.Linear(config.recycled_bins, config.evoformer.c_pair)
        self.norm_first_row = LayerNorm(config.evoformer.c_msa)
        self.norm_pair = LayerNorm(config.evoformer.c_pair)

    def forward(
        self, residue_types: Int[Tensor, "*batch residues"], previous: Recycled
    ) -> tuple[Float[Tensor, "*batch residues c_msa"], Float[Tensor, "*batch residues residues c_pair"]]:
        """What to add to the first row and to the pairs; before the first pass `previous` is all zeros."""
        near = distogram(pseudo_beta(residue_types, previous.positions), *self.bins)
        dtype = self.distances.weight.dtype
        pair = self.distances(near.to(dtype)) + self.norm_pair(previous.pair).to(dtype)
        return self.norm_first_row(previous.first_row).to(dtype), pair


class ExtraEmbedder(nn.Module):
    """The rows beyond the clusters: Jumper et al. (2021), Suppl. Alg. 2, line 15."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(EXTRA_CHANNELS, config.extra_msa.c_msa)

    def forward(self, features: Features) -> Float[Tensor, "*batch extra residues c_msa"]:
        """One token a residue of a row, from its type and its deletions."""
        weight = self.linear.weight
        by_type, by_deletion = weight[:, : MASKED + 1], weight[:, MASKED + 1 :]
        deletions = torch.stack((features.extra_has_deletion, features.extra_deletions), -1).to(weight.dtype)
        # looking a column up is the product with a one-hot code, without the code
        return by_type.T[features.extra_types.long()] + linear(deletions, by_deletion, self.linear.bias)
