"""Network weights: safetensors, and nothing that could run code."""

import json
import struct
from collections.abc import Mapping, Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from ..errors import FormatError
from .notebook import listed, shown
from .opening import PathLike, load

LARGEST_HEADER = 100 << 20  # bytes, as in the reference implementation
_REMEDY = "fetch the weights again"


def read_weights(path: PathLike, shapes: Mapping[str, Sequence[int]] | None = None) -> dict[str, Tensor]:
    """Tensors by name from a safetensors file, held against the shapes that the model has.

    Raises:
        FormatError: The file is damaged or hostile, holds NaN or infinity, or other tensors than `shapes`.
    """
    source = load(path)
    _check_header(source.data, source.label)
    try:
        tensors = load_safetensors(source.data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = shown(error, 80)
        raise FormatError(source.label, f"is not a valid safetensors file ({reason})", _REMEDY) from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise FormatError(source.label, f"tensor {shown(name, 60)!r} holds NaN or infinity", _REMEDY)
    if shapes is not None:
        _check_shapes(tensors, shapes, source.label)
    return tensors


def _check_header(data: bytes, label: str) -> None:
    """Lengths and offsets, before anything is allocated by them."""
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x04"):
        raise FormatError(label, "is a pickle, which can run code", "convert it to safetensors where you trust it")
    if len(data) < 10:
        raise FormatError(label, "is too short for safetensors", _REMEDY)
    size = struct.unpack_from("<Q", data)[0]
    if size > min(LARGEST_HEADER, len(data) - 8):
        raise FormatError(label, f"claims a header of {size} bytes in a file of {len(data)}", _REMEDY)
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError):
        raise FormatError(label, "has a header that is not JSON", _REMEDY) from None
    if not isinstance(header, dict):
        raise FormatError(label, "has a header without tensors", _REMEDY)
    _check_offsets(header, len(data) - 8 - size, label)


def _check_offsets(header: dict[str, object], size: int, label: str) -> None:
    spans = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
        if not (isinstance(offsets, list) and len(offsets) == 2 and all(type(x) is int for x in offsets)):
            raise FormatError(label, f"tensor {shown(name, 60)!r} has no place in the file", _REMEDY)
        spans.append((offsets[0], offsets[1], name))
    end = 0
    for first, last, name in sorted(spans):
        if first != end or last < first:
            raise FormatError(label, f"tensor {shown(name, 60)!r} overlaps another, or leaves a gap", _REMEDY)
        end = last
    if end != size:
        raise FormatError(
            label, f"claims {end} bytes of tensors but holds {size}: it is cut off or padded", _REMEDY
        )


def _check_shapes(tensors: Mapping[str, Tensor], shapes: Mapping[str, Sequence[int]], label: str) -> None:
    remedy = "give the weights that belong to this model"
    for word, names in (
        ("lacks", shapes.keys() - tensors.keys()),
        ("has unknown", tensors.keys() - shapes.keys()),
    ):
        if names:
            raise FormatError(label, f"{word} tensors: {listed(sorted(names))}", remedy)
    for name, shape in shapes.items():
        if tensors[name].shape != torch.Size(shape):
            found, wanted = tuple(tensors[name].shape), tuple(shape)
            raise FormatError(label, f"tensor {shown(name, 60)!r} has shape {found}, the model {wanted}", remedy)
