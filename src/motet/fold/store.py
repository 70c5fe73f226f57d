"""Where converted weights are kept: one folder, one file a model, with its record beside it."""

import os
import re
from pathlib import Path

from ..errors import ConfigError, FormatError, MissingWeightsError
from .model import AlphaFold
from .presets import PRESETS
from .weights import WeightsRecord, from_safetensors, record_of, to_npz, to_safetensors

_OFFICIAL = re.compile(r"params_(model_[1-5](?:_ptm)?)\.npz")


def folder() -> Path:
    """`$MOTET_HOME/alphafold2`; without MOTET_HOME, in the cache of the user (`$XDG_CACHE_HOME`, or ~/.cache)."""
    home = os.environ.get("MOTET_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (Path(home) if home else Path(cache) / "motet") / "alphafold2"


def model_named(file: Path) -> str:
    """The model that an official file's name says it holds.

    Raises:
        ConfigError: The name says nothing: models 3 to 5 cannot be told apart by what is in them.
    """
    found = _OFFICIAL.fullmatch(file.name)
    if not found:
        raise ConfigError(
            f"{file.name}: the name does not say which model this is; keep the official name, "
            "params_model_3_ptm.npz for example, or pass --model model_3_ptm."
        )
    return found[1]


def add(npz: Path, model: str | None = None, *, overwrite: bool = False) -> WeightsRecord:
    """Convert an official file into the store.

    Raises:
        FormatError: The file is damaged, holds numbers that are none, or belongs to another model.
        OutputExistsError: The model is there already and `overwrite` is not set.
    """
    name = model or model_named(npz)
    target = place_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    return to_safetensors(npz, target, name, overwrite=overwrite)


def place_of(model: str) -> Path:
    """The file of a model, whether it is there or not."""
    if model not in PRESETS:
        raise ConfigError(f"{model!r} is no model of AlphaFold2 for monomers; choose from {', '.join(PRESETS)}.")
    return folder() / f"{model}.safetensors"


def stored() -> tuple[WeightsRecord, ...]:
    """What is in the store, in the order of the models; a file without a readable record is left out."""
    found = []
    for name in PRESETS:
        if place_of(name).exists():
            try:
                found.append(record_of(place_of(name)))
            except FormatError:
                continue
    return tuple(found)


def load(model: str) -> AlphaFold:
    """A model of the store, ready to predict.

    Raises:
        MissingWeightsError: It is not there.
        FormatError: It is damaged, or has changed since it was converted.
    """
    path = place_of(model)
    if not path.exists():
        raise MissingWeightsError(model, folder(), tuple(one.model for one in stored()))
    return from_safetensors(path)


def export(model: str, npz: Path, *, overwrite: bool = False) -> None:
    """Write a model of the store as an official file, bit by bit what it was."""
    to_npz(load(model), npz, overwrite=overwrite)
