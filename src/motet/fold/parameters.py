"""The one table in which the official names of AlphaFold2's parameters meet ours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..chem import read_table
from .config import AlphaFoldConfig

_PREFIX = "alphafold/alphafold_iteration/"


class Layout(StrEnum):
    """Which axis of an official array is which: see `Entry`."""

    VECTOR = "vector"
    INPUT_FIRST = "in"
    OUTPUT_LAST = "out"


@dataclass(frozen=True)
class Entry:
    """One array of the official file.

    Args:
        official: Its name there.
        ours: The name of our parameter; `*` stands for the number of a block.
        layout: Which axis of the official array is the input (`in`: the first) or the output (`out`: the last).
        shape: Official shape, of one block.
    """

    official: str
    ours: str
    layout: Layout
    shape: tuple[int, ...]

    @property
    def stacked(self) -> bool:
        """Whether the array holds all blocks of a stack, along its first axis."""
        return "*" in self.ours

    def to_ours(self, official: NDArray) -> NDArray:
        """The array of one block as our parameter: vectors flat, matrices as output by input."""
        if self.layout is Layout.VECTOR:
            return official.reshape(-1)
        columns = official.shape[0] if self.layout is Layout.INPUT_FIRST else -1
        rows = -1 if self.layout is Layout.INPUT_FIRST else official.shape[-1]
        return np.ascontiguousarray(official.reshape(columns, rows).T)

    def to_official(self, ours: NDArray) -> NDArray:
        """The other way round."""
        return np.ascontiguousarray(ours if self.layout is Layout.VECTOR else ours.T).reshape(self.shape)


def _read() -> dict[str, Entry]:
    found = {}
    for row in read_table("parameters.csv", "motet.fold.tables"):
        name, shape = _PREFIX + row["official"], tuple(int(side) for side in row["shape"].split("x"))
        found[name] = Entry(name, row["ours"], Layout(row["layout"]), shape)
    return found


PARAMETERS: Mapping[str, Entry] = MappingProxyType(_read())


def depth_of(entry: Entry, config: AlphaFoldConfig) -> int | None:
    """How many blocks the official array of a model holds; None where it is no stack."""
    if not entry.stacked:
        return None
    if entry.ours.startswith("trunk.extra_msa."):
        return config.extra_msa.blocks
    if entry.ours.startswith("trunk.template_embedder."):
        return config.templates.blocks if config.templates else 0
    return config.evoformer.blocks


def entries(config: AlphaFoldConfig) -> Iterator[Entry]:
    """The arrays that a model has."""
    for entry in PARAMETERS.values():
        if entry.ours.startswith("trunk.template_") and config.templates is None:
            continue
        if entry.ours.startswith("heads.aligned_error") and not config.heads.aligned_error:
            continue
        yield entry


def official_shape(entry: Entry, config: AlphaFoldConfig) -> tuple[int, ...]:
    """Shape of the official array, stack and all."""
    depth = depth_of(entry, config)
    return entry.shape if depth is None else (depth, *entry.shape)


def names(entry: Entry, config: AlphaFoldConfig) -> tuple[str, ...]:
    """Our parameters that the array holds, block by block."""
    depth = depth_of(entry, config)
    return (entry.ours,) if depth is None else tuple(entry.ours.replace("*", str(i)) for i in range(depth))
