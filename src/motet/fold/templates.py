"""Structures of homologues: their distances join the pairs, their torsions join the alignment."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot, relu

from ..nn import PLAIN, Execution, LayerNorm, in_chunks, log_presence
from .config import TemplateConfig
from .distances import distogram, pseudo_beta
from .evoformer import PairUpdates
from .features import Templates
from .residues import CA, C, N
from .torsions import PSI, torsions_of_atoms

_TYPES, _UNIT_VECTOR, _TORSIONS = 22, 3, 57


class TemplateBlock(PairUpdates):
    """One block of TemplatePairStack: Jumper et al. (2021), Suppl. Alg. 16."""

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """Attentions first, then multiplications: the other way round than in the Evoformer."""
        pair = self.attended(pair, presence, execution)
        pair = self.multiplied(pair, presence, execution)
        return pair + self.transition(pair, execution)


class TemplatePairEmbedder(nn.Module):
    """The pair representation of each template by itself: Suppl. Alg. 2, lines 9 and 11, and Alg. 16."""

    def __init__(self, config: TemplateConfig) -> None:
        super().__init__()
        self.bins = (config.first_bin, config.last_bin, config.bins)
        channels = config.bins + 1 + 2 * _TYPES + _UNIT_VECTOR + 1
        self.linear = nn.Linear(channels, config.c_template)
        self.blocks = nn.ModuleList(
            TemplateBlock(
                c_pair=config.c_template,
                c_triangle=config.c_template,
                heads=config.heads,
                factor=config.transition_factor,
                dropout=config.pair_dropout,
            )
            for _ in range(config.blocks)
        )
        self.norm = LayerNorm(config.c_template)

    def forward(
        self,
        templates: Templates,
        presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch templates residues residues c_template"]:
        """One representation a template."""
        pair = self.linear(self._features(templates).to(self.linear.weight.dtype))
        if presence is not None:
            presence = presence[..., None, :, :].expand(pair.shape[:-1])
        for block in self.blocks:
            pair = block(pair, presence, execution)
        return self.norm(pair)

    def _features(self, templates: Templates) -> Tensor:
        """Distances, presence, residue types and (always zero in the monomer models) directions."""
        types, positions = templates.residue_types.long(), templates.positions
        beta = pseudo_beta(types, positions)
        beta_there = pseudo_beta(types, templates.atom_presence[..., None])[..., 0]
        backbone_there = templates.atom_presence[..., (N, CA, C)].prod(-1)
        both_beta, both_backbone = (
            there[..., :, None] * there[..., None, :] for there in (beta_there, backbone_there)
        )
        code = one_hot(types, _TYPES).to(positions.dtype)
        side = types.shape[-1]
        parts = (
            distogram(beta, *self.bins),
            both_beta[..., None],
            code[..., None, :, :].expand(*code.shape[:-2], side, side, _TYPES),
            code[..., :, None, :].expand(*code.shape[:-2], side, side, _TYPES),
            positions.new_zeros((*types.shape, side, _UNIT_VECTOR)),
            both_backbone[..., None],
        )
        return torch.cat(parts, -1) * both_backbone[..., None]


class TemplatePointwiseAttention(nn.Module):
    """TemplatePointwiseAttention: Jumper et al. (2021), Suppl. Alg. 17: pairs look at their like."""

    def __init__(self, config: TemplateConfig, c_pair: int) -> None:
        super().__init__()
        self.heads, width = config.heads, config.c_template
        self.to_query = nn.Linear(c_pair, width, bias=False)
        self.to_key = nn.Linear(width, width, bias=False)
        self.to_value = nn.Linear(width, width, bias=False)
        self.to_out = nn.Linear(width, c_pair)

    def forward(
        self,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        templates: Float[Tensor, "*batch templates residues residues c_template"],
        presence: Float[Tensor, "*batch templates"],
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The update of `pair`; zero where no template is present."""
        bias = log_presence(presence)[..., None, None, None, :]

        def attend(pair: Tensor, templates: Tensor) -> Tensor:
            query = self.to_query(pair).unflatten(-1, (self.heads, -1))
            key = self.to_key(templates).unflatten(-1, (self.heads, -1))
            value = self.to_value(templates).unflatten(-1, (self.heads, -1))
            logits = torch.einsum("...hc,...thc->...ht", query * query.shape[-1] ** -0.5, key) + bias
            mixed = torch.einsum("...ht,...thc->...hc", logits.softmax(-1), value)
            return self.to_out(mixed.flatten(-2))

        stacked = templates.movedim(-4, -2)
        size = pair.element_size() * pair.shape[:-2].numel() * templates.shape[-4] * 3 * templates.shape[-1]
        update = in_chunks(attend, execution, size, pair.dim() - 3, pair, stacked)
        return update * (presence.sum(-1) > 0).to(update.dtype)[..., None, None, None]


class TemplateEmbedder(nn.Module):
    """All that templates say of pairs: Jumper et al. (2021), Suppl. Alg. 2, lines 9 to 13."""

    def __init__(self, config: TemplateConfig, c_pair: int) -> None:
        super().__init__()
        self.pair_embedder = TemplatePairEmbedder(config)
        self.attention = TemplatePointwiseAttention(config, c_pair)

    def forward(
        self,
        templates: Templates,
        pair: Float[Tensor, "*batch residues residues c_pair"],
        pair_presence: Float[Tensor, "*batch residues residues"] | None = None,
        execution: Execution = PLAIN,
    ) -> Float[Tensor, "*batch residues residues c_pair"]:
        """The update of `pair`."""
        each = self.pair_embedder(templates, pair_presence, execution)
        return self.attention(pair, each, templates.presence.to(pair.dtype), execution)


class TemplateTorsionEmbedder(nn.Module):
    """Torsions of the templates, as more rows of the alignment: Suppl. Alg. 2, lines 7 and 8."""

    def __init__(self, c_msa: int) -> None:
        super().__init__()
        self.widen = nn.Linear(_TORSIONS, c_msa)
        self.mix = nn.Linear(c_msa, c_msa)

    def forward(
        self, templates: Templates
    ) -> tuple[Float[Tensor, "*batch templates residues c_msa"], Float[Tensor, "*batch templates residues"]]:
        """A row a template, and where it is present: where ψ, that is the backbone of the residue, is known."""
        types = templates.residue_types
        torsions, other, known = torsions_of_atoms(types, templates.positions, templates.atom_presence)
        code = one_hot(types.long(), _TYPES).to(torsions.dtype)
        features = torch.cat((code, torsions.flatten(-2), other.flatten(-2), known), -1)
        return self.mix(relu(self.widen(features.to(self.widen.weight.dtype)))), known[..., PSI]
