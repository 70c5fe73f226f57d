"""Sizes of the network; the defaults are AlphaFold2's (Jumper et al. 2021, Suppl. 1.5 to 1.9 and 1.11)."""

from dataclasses import dataclass, field

from ..errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """A stack of Evoformer blocks."""

    blocks: int = 48
    c_msa: int = 256
    c_pair: int = 128
    msa_heads: int = 8
    pair_heads: int = 4
    c_outer: int = 32
    c_triangle: int = 128
    transition_factor: int = 4
    msa_dropout: float = 0.15
    pair_dropout: float = 0.25

    def __post_init__(self) -> None:
        _divides("c_msa", self.c_msa, self.msa_heads)
        _divides("c_pair", self.c_pair, self.pair_heads)


@dataclass(frozen=True, kw_only=True)
class TemplateConfig:
    """How structures of homologues are read."""

    blocks: int = 2
    c_template: int = 64
    heads: int = 4
    transition_factor: int = 2
    pair_dropout: float = 0.25
    bins: int = 39
    first_bin: float = 3.25
    last_bin: float = 50.75

    def __post_init__(self) -> None:
        _divides("c_template", self.c_template, self.heads)


@dataclass(frozen=True, kw_only=True)
class StructureConfig:
    """From representations to atoms."""

    iterations: int = 8
    heads: int = 12
    c_head: int = 16
    query_points: int = 4
    value_points: int = 8
    transition_layers: int = 3
    c_angles: int = 128
    angle_blocks: int = 2
    dropout: float = 0.1
    unit: float = 10.0  # Å in a unit of the frames' translations


@dataclass(frozen=True, kw_only=True)
class HeadsConfig:
    """What is predicted beside the structure; `aligned_error` is what the `_ptm` models add."""

    aligned_error: bool = False
    error_bins: int = 64
    largest_error: float = 31.0
    distogram_bins: int = 64
    lddt_bins: int = 50
    c_lddt: int = 128


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How many rows of an alignment are read, and how; `masked` is BERT masking (0.15 in training)."""

    clusters: int = 512
    extra: int = 1024
    masked: float = 0.0

    def __post_init__(self) -> None:
        if self.clusters < 1 or self.extra < 0:
            raise ConfigError(f"clusters={self.clusters} must be 1 or more, and extra={self.extra} 0 or more.")
        if not 0 <= self.masked <= 1:
            raise ConfigError(f"masked={self.masked} is a fraction: give a number from 0 to 1.")


@dataclass(frozen=True, kw_only=True)
class AlphaFoldConfig:
    """A monomer model; without `templates` it reads none."""

    evoformer: StackConfig = field(default_factory=StackConfig)
    extra_msa: StackConfig = field(default_factory=lambda: StackConfig(blocks=4, c_msa=64))
    templates: TemplateConfig | None = None
    structure: StructureConfig = field(default_factory=StructureConfig)
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    c_single: int = 384
    farthest_neighbour: int = 32  # in sequence; beyond it all distances are one
    recycled_bins: int = 15
    first_recycled_bin: float = 3.25
    last_recycled_bin: float = 20.75

    def __post_init__(self) -> None:
        if self.evoformer.c_pair != self.extra_msa.c_pair:
            raise ConfigError(
                f"the stacks share one pair representation: evoformer.c_pair={self.evoformer.c_pair} is not "
                f"extra_msa.c_pair={self.extra_msa.c_pair}."
            )


def _divides(name: str, width: int, heads: int) -> None:
    if width % heads:
        raise ConfigError(f"{name}={width} does not divide into {heads} heads.")
