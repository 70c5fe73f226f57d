"""AlphaFold2 for monomers: one pass of the network."""

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..nn import PLAIN, Execution, LayerNorm
from .config import AlphaFoldConfig
from .embedding import InputEmbedder, RecyclingEmbedder
from .evoformer import EvoformerStack
from .extra_msa import ExtraMsaStack
from .features import Features
from .heads import Heads
from .prediction import AlignedErrors, Prediction
from .representations import Recycled, Representations, pairwise_presence, presence_or_none
from .structure_module import StructureModule
from .templates import TemplateEmbedder, TemplateTorsionEmbedder


class Trunk(nn.Module):
    """From features to representations: Jumper et al. (2021), Suppl. Alg. 2, lines 5 to 18."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        c_msa, c_pair = config.evoformer.c_msa, config.evoformer.c_pair
        self.input_embedder = InputEmbedder(config)
        self.recycling_embedder = RecyclingEmbedder(config)
        self.template_embedder = TemplateEmbedder(config.templates, c_pair) if config.templates else None
        self.template_torsions = TemplateTorsionEmbedder(c_msa) if config.templates else None
        self.extra_msa = ExtraMsaStack(config)
        self.evoformer = EvoformerStack.of_clusters(config.evoformer)
        self.to_single = nn.Linear(c_msa, config.c_single)

    def forward(self, features: Features, previous: Recycled, execution: Execution = PLAIN) -> Representations:
        """What the trunk learns, in the number type of the features, whatever it computes in itself."""
        dtype = self.to_single.weight.dtype
        presence = presence_or_none(pairwise_presence(features.residue_presence).to(dtype))
        msa, pair = self._embedded(features, previous)
        if self.template_embedder is not None and features.templates is not None:
            pair = pair + self.template_embedder(features.templates, pair, presence, execution)
        pair = self.extra_msa(features, pair, presence, execution)
        msa, there = self._with_torsions(features, msa)
        msa, pair = self.evoformer(msa, pair, presence_or_none(there.to(dtype)), presence, execution)
        single = self.to_single(msa[..., 0, :, :])
        rows, out = features.msa.shape[-3], features.target.dtype
        msa = msa[..., :rows, :, :].to(out)
        return Representations(msa, pair.to(out), single.to(out), msa[..., 0, :, :])

    def _embedded(self, features: Features, previous: Recycled) -> tuple[Tensor, Tensor]:
        """The alignment and the pairs, with what the pass before has left: lines 5 and 6."""
        dtype = self.to_single.weight.dtype
        msa, pair = self.input_embedder(features.target.to(dtype), features.msa.to(dtype))
        first_row, recycled = self.recycling_embedder(features.residue_types, previous)
        msa = torch.cat((msa[..., :1, :, :] + first_row[..., None, :, :], msa[..., 1:, :, :]), -3)
        return msa, pair + recycled + self.input_embedder.relative_position(features.residue_index)

    def _with_torsions(self, features: Features, msa: Tensor) -> tuple[Tensor, Tensor]:
        """The alignment with a row a template, and the presence of its residues: lines 7 and 8."""
        there = features.msa_presence
        if self.template_torsions is None or features.templates is None:
            return msa, there
        rows, known = self.template_torsions(features.templates)
        return torch.cat((msa, rows), -3), torch.cat((there, known), -2)


class AlphaFold(nn.Module):
    """AlphaFold2 for monomers: Jumper et al. (2021), Suppl. Alg. 2; one pass, to be repeated by `fold`.

    Args:
        config: A preset, or one of your own.
    """

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config)
        self.structure_module = StructureModule(config.structure, config.c_single, config.evoformer.c_pair)
        self.heads = Heads(config)

    def forward(
        self, features: Features, previous: Recycled | None = None, execution: Execution = PLAIN
    ) -> Prediction:
        """A structure, and how sure the network is; `previous` is what the pass before has left."""
        _check(features, self.config)
        previous = previous or self.nothing(features)
        known = self.trunk(features, previous, execution)
        folded = self.structure_module(
            known.single, known.pair, features.residue_types, features.residue_presence, execution
        )
        heads, aligned = self.heads, None
        if heads.aligned_error is not None:
            largest = self.config.heads.largest_error
            aligned = AlignedErrors.of(heads.aligned_error(known.pair), features.residue_presence, largest)
        return Prediction(
            folded,
            known,
            features.residue_presence,
            lddt_logits=heads.lddt(folded.single),
            distogram_logits=heads.distogram(known.pair),
            masked_msa_logits=heads.masked_msa(known.msa),
            resolved_logits=heads.resolved(known.single),
            aligned=aligned,
        )

    def nothing(self, features: Features) -> Recycled:
        """What the first pass begins with: zeros."""
        return Recycled.nothing(features.target, self.config.evoformer.c_msa, self.config.evoformer.c_pair)

    def half(self) -> "AlphaFold":
        """Turn the trunk to bfloat16, in place, all but its layer norms; structure and heads stay as they are.

        Layer norms, softmax and the sums inside products are still taken in float32. Give features in float32.
        """
        for module in self.trunk.modules():
            if not isinstance(module, LayerNorm):
                for parameter in module.parameters(recurse=False):
                    parameter.data = parameter.data.to(torch.bfloat16)
        return self


def _check(features: Features, config: AlphaFoldConfig) -> None:
    """Refuse what would fail deep inside."""
    if features.templates is not None and config.templates is None:
        raise ConfigError("this model reads no templates; use model_1 or model_2, or leave the templates out.")
