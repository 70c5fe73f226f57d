"""The five models of CASP14 and their twins that predict aligned errors: Jumper et al. (2021), Suppl. Table 5."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ..errors import ConfigError
from .config import AlphaFoldConfig, HeadsConfig, SamplingConfig, TemplateConfig

# templates take four rows of the alignment, which the clusters give up
MODEL_1 = AlphaFoldConfig(templates=TemplateConfig(), sampling=SamplingConfig(clusters=508, extra=5120))
MODEL_2 = replace(MODEL_1, sampling=SamplingConfig(clusters=508, extra=1024))
MODEL_3 = AlphaFoldConfig(sampling=SamplingConfig(clusters=512, extra=5120))
MODEL_4 = MODEL_3
MODEL_5 = replace(MODEL_3, sampling=SamplingConfig(clusters=512, extra=1024))

_PLAIN = {f"model_{i}": model for i, model in enumerate((MODEL_1, MODEL_2, MODEL_3, MODEL_4, MODEL_5), 1)}
PRESETS: Mapping[str, AlphaFoldConfig] = MappingProxyType(
    _PLAIN
    | {f"{name}_ptm": replace(model, heads=HeadsConfig(aligned_error=True)) for name, model in _PLAIN.items()}
)


def preset(name: str) -> AlphaFoldConfig:
    """The configuration of a published model: model_1 to model_5, with or without `_ptm`."""
    if name not in PRESETS:
        raise ConfigError(f"{name!r} is no model of AlphaFold2 for monomers; choose from {', '.join(PRESETS)}.")
    return PRESETS[name]
