import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import save

from motet import io
from motet.errors import FormatError

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.int64), "c": torch.zeros(0, 3)}


@pytest.fixture
def weights_file(tmp_path):
    def write(data):
        path = tmp_path / "weights.safetensors"
        path.write_bytes(data)
        return path

    return write


def test_tensors_come_back(weights_file):
    found = io.read_weights(weights_file(save(TENSORS)), {name: t.shape for name, t in TENSORS.items()})
    assert found.keys() == TENSORS.keys()
    assert all((found[name] == TENSORS[name]).all() for name in TENSORS)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ({"a": (2, 3), "b": (4,)}, "unknown tensors: c"),
        ({"a": (2, 3), "b": (4,), "c": (0, 3), "d": (1,)}, "lacks tensors: d"),
        ({"a": (3, 2), "b": (4,), "c": (0, 3)}, r"has shape \(2, 3\), the model \(3, 2\)"),
    ],
)
def test_other_tensors_than_the_models_are_refused(shapes, reason, weights_file):
    with pytest.raises(FormatError, match=reason):
        io.read_weights(weights_file(save(TENSORS)), shapes)


def made(header, body=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def entry(first, last, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        made({"a": entry(0, 4)}, bytes(4), 2**60),
        made({"a": entry(0, 4)}, bytes(4), 2**63),
        made(b"[1, 2, 3, 4]"),
        made(b"{not json}"),
        made(b"[" * 100_000),
        made({"a": entry(0, 4), "b": entry(2, 6)}, bytes(6)),
        made({"a": entry(0, 4), "b": entry(8, 12)}, bytes(12)),
        made({"a": entry(0, 4)}, bytes(3)),
        made({"a": entry(0, 4)}, bytes(9)),
        made({"a": entry(-4, 0)}, b""),
        made({"a": entry(0, 4, (7, 7))}, bytes(4)),
        made({"a": entry(0, 4, dtype="NOPE")}, bytes(4)),
        made({"a": {"dtype": "F32"}}, bytes(4)),
        made({"a": entry(0, 4)}, struct.pack("<f", float("nan"))),
        made({"a": entry(0, 4)}, struct.pack("<f", float("inf"))),
        pickle.dumps({"a": 1}),
        b"PK\x03\x04" + bytes(50),
    ],
)
def test_hostile_files_are_refused(data, weights_file):
    with pytest.raises(FormatError):
        io.read_weights(weights_file(data))
