"""Weights of AlphaFold2: official npz files in, safetensors out, and back, bit by bit.

The parameters are DeepMind's, under CC BY 4.0; motet ships none. Nothing is ever unpickled.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor

from ..errors import FormatError
from ..io import atomic_write, read_weights
from .atoms import AllAtoms
from .config import AlphaFoldConfig
from .model import AlphaFold
from .parameters import PARAMETERS, Entry, entries, names, official_shape
from .presets import PRESETS, preset

LICENCE = "CC BY 4.0, DeepMind Technologies Limited"


@dataclass(frozen=True)
class WeightsRecord:
    """Where converted weights come from.

    Args:
        model: Name of the preset.
        source: Name of the official file.
        source_sha256: Its SHA-256.
        sha256: SHA-256 of the converted file.
        licence: Under which the weights may be used.
    """

    model: str
    source: str
    source_sha256: str
    sha256: str
    licence: str = LICENCE


def from_npz(path: Path | str, config: AlphaFoldConfig) -> AlphaFold:
    """The model with the weights of an official file.

    Raises:
        FormatError: The file is damaged, holds numbers that are none, or belongs to another model.
    """
    return model_of(our_parameters(read_npz(path), config, path), config)


def to_npz(model: AlphaFold, path: Path | str, *, overwrite: bool = False) -> None:
    """Write the weights in the official layout."""
    parameters = {name: tensor.detach().cpu().float().numpy() for name, tensor in model.named_parameters()}
    arrays = {}
    for entry in entries(model.config):
        blocks = [entry.to_official(parameters[name]) for name in names(entry, model.config)]
        arrays[entry.official] = np.stack(blocks) if entry.stacked else blocks[0]
    with atomic_write(path, overwrite=overwrite) as temporary, Path(temporary).open("wb") as out:
        np.savez(out, **arrays)


def to_safetensors(npz: Path | str, out: Path | str, model: str, *, overwrite: bool = False) -> WeightsRecord:
    """Convert an official file; what it is and its SHA-256 are kept beside it, in `out` with `.json` added.

    Raises:
        FormatError: As `from_npz`.
        OutputExistsError: `out` is there and `overwrite` is not set.
    """
    source, out = Path(npz), Path(out)
    parameters = our_parameters(read_npz(source), preset(model), source)
    with atomic_write(out, overwrite=overwrite) as temporary:
        save_file(parameters, temporary, metadata={"model": model, "licence": LICENCE})
        record = WeightsRecord(model, source.name, sha256(source), sha256(temporary))
    with atomic_write(_record_path(out), overwrite=True) as temporary:
        Path(temporary).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    return record


def from_safetensors(path: Path | str) -> AlphaFold:
    """The model whose weights `to_safetensors` has written; its SHA-256 must still be the recorded one.

    Raises:
        FormatError: The file is damaged, changed, or no such file.
    """
    path = Path(path)
    record = record_of(path)
    if sha256(path) != record.sha256:
        raise FormatError(path, "is not the file that was converted (its SHA-256 has changed)", "convert it again")
    model = without_weights(PRESETS[record.model])
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    return _filled(model, read_weights(path, shapes))


def record_of(path: Path | str) -> WeightsRecord:
    """What is recorded of converted weights."""
    record = _record_path(Path(path))
    try:
        found = WeightsRecord(**json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(record, "does not say where the weights come from", "convert them again") from error
    if found.model not in PRESETS:
        raise FormatError(record, f"names {found.model!r}, which is no model of AlphaFold2", "convert again")
    return found


def model_of(parameters: Mapping[str, NDArray], config: AlphaFoldConfig) -> AlphaFold:
    """The model with these parameters; all of them, and no others."""
    return _filled(without_weights(config), {name: torch.from_numpy(array) for name, array in parameters.items()})


def _filled(model: AlphaFold, parameters: dict[str, Tensor]) -> AlphaFold:
    model.load_state_dict(parameters, assign=True)
    return model.eval()


def without_weights(config: AlphaFoldConfig) -> AlphaFold:
    """The model whose parameters have shapes but no numbers: made at once, to be filled."""
    with torch.device("meta"):
        model = AlphaFold(config)
    model.structure_module.atoms = AllAtoms()  # a table, not parameters
    return model


def sha256(path: Path | str) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_npz(path: Path | str) -> dict[str, NDArray]:
    """Every array of an npz file, by name.

    Raises:
        FormatError: The file is missing, cut short, or no npz.
    """
    remedy = "fetch it again, for example from the AlphaFold2 archive alphafold_params_2022-12-06.tar"
    try:
        with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise FormatError(path, "is not there", "look at its name") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        EOFError,
        OSError,
        AttributeError,
        TypeError,
        MemoryError,
    ) as error:
        raise FormatError(path, f"is no whole npz file ({error})", remedy) from error


def our_parameters(arrays: dict[str, NDArray], config: AlphaFoldConfig, source: object) -> dict[str, NDArray]:
    """Our parameters from the official arrays: each read exactly once, none left over."""
    wanted = {entry.official: entry for entry in entries(config)}
    _same_names(set(arrays), set(wanted), source)
    converted = {}
    for name, entry in wanted.items():
        _sound(arrays[name], entry, config, source)
        blocks = arrays[name] if entry.stacked else arrays[name][None]
        converted |= {ours: entry.to_ours(block) for ours, block in zip(names(entry, config), blocks, strict=True)}
    return converted


def _same_names(found: set[str], wanted: set[str], source: object) -> None:
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    if not missing and not extra:
        return
    faults = [f"lacks {len(missing)} arrays (the first is {missing[0]})"] if missing else []
    faults += [f"has {len(extra)} that this model has not (the first is {extra[0]})"] if extra else []
    raise FormatError(source, " and ".join(faults), _other_model(found))


def _other_model(found: set[str]) -> str:
    """Advice: which model the arrays look like."""
    for name, config in PRESETS.items():
        if found == {entry.official for entry in entries(config)}:
            same = [other for other, one in PRESETS.items() if {e.official for e in entries(one)} == found]
            return f"by its names it is one of {', '.join(same)}" if same else name
    if not found & set(PARAMETERS):
        return "give parameters of AlphaFold2 for monomers, params_model_1.npz to params_model_5_ptm.npz"
    return "give the official file of this model"


def _sound(array: NDArray, entry: Entry, config: AlphaFoldConfig, source: object) -> None:
    shape = official_shape(entry, config)
    if array.shape != shape:
        reason = f"has {entry.official} of shape {array.shape}, not {shape}"
        raise FormatError(source, reason, "give the official file of this model")
    if array.dtype != np.float32:
        reason = f"has {entry.official} as {array.dtype}, not float32"
        raise FormatError(source, reason, "give the official file of this model")
    if not np.isfinite(array).all():
        raise FormatError(source, f"has numbers in {entry.official} that are not finite", "fetch the file again")


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")
