import gzip
import itertools
import struct

import gemmi
import numpy as np
import pytest

from motet import io
from motet.errors import FormatError

TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}


def map_bytes(
    values, *, mode=2, order="<", axis=(1, 2, 3), start=(0, 0, 0), origin=(0, 0, 0), cell=None, **fields
):
    """A map file; `values` are in file order: sections, rows, columns."""
    sections, rows, columns = values.shape
    sampling = [0, 0, 0]
    for size, k in zip((columns, rows, sections), axis, strict=True):
        sampling[k - 1] = size
    cell = cell or (*map(float, sampling), 90.0, 90.0, 90.0)
    header = bytearray(1024)
    struct.pack_into(f"{order}10i", header, 0, columns, rows, sections, mode, *start, *sampling)
    struct.pack_into(f"{order}6f3i", header, 40, *cell, *axis)
    struct.pack_into(f"{order}2i", header, 88, fields.get("space_group", 1), fields.get("extended", 0))
    struct.pack_into(f"{order}3f", header, 196, *origin)
    header[208:216] = b"MAP " + (b"DD\0\0" if order == "<" else b"\x11\x11\0\0")
    return bytes(header) + bytes(fields.get("extended", 0)) + values.astype(order + TYPES[mode]).tobytes()


@pytest.fixture
def map_file(tmp_path):
    def write(*arguments, pack=bytes, **fields):
        path = tmp_path / "made.mrc"
        path.write_bytes(pack(map_bytes(*arguments, **fields)))
        return path

    return write


VALUES = np.random.default_rng(0).integers(0, 100, (3, 4, 5)).astype(np.float32)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mode", TYPES)
def test_every_mode_in_both_byte_orders(mode, order, map_file):
    density = io.read_map(map_file(VALUES, mode=mode, order=order, extended=80)).density
    np.testing.assert_array_equal(density.numpy(), VALUES.transpose(2, 1, 0))


@pytest.mark.parametrize("axis", list(itertools.permutations((1, 2, 3))))
def test_every_order_of_axes_agrees_with_gemmi(axis, map_file):
    path = map_file(VALUES, axis=axis, start=(3, -2, 7), cell=(10.0, 12.0, 14.0, 90.0, 90.0, 90.0))
    ours = io.read_map(path)
    theirs = gemmi.read_ccp4_map(str(path))
    place = ours.origin.numpy() / ours.voxel.numpy()
    theirs.setup(0.0, gemmi.MapSetup.ReorderOnly)
    np.testing.assert_allclose(ours.density.numpy(), theirs.grid.array, atol=1e-6)
    np.testing.assert_allclose(place, [theirs.header_i32(k) for k in (5, 6, 7)], atol=1e-4)


def test_an_oblique_cell_agrees_with_gemmi(map_file):
    cell = (10.0, 12.0, 14.0, 80.0, 95.0, 110.0)
    ours = io.read_map(map_file(VALUES, cell=cell))
    unit = gemmi.UnitCell(*cell)
    for row, fraction in zip(ours.axes.numpy(), ((1 / 5, 0, 0), (0, 1 / 4, 0), (0, 0, 1 / 3)), strict=True):
        np.testing.assert_allclose(row, unit.orthogonalize(gemmi.Fractional(*fraction)).tolist(), atol=1e-5)


def test_nstart_and_origin_are_honoured(map_file):
    cell = (10.0, 8.0, 6.0, 90.0, 90.0, 90.0)
    assert io.read_map(map_file(VALUES, start=(1, 2, 3), cell=cell)).origin.tolist() == [2.0, 4.0, 6.0]
    assert io.read_map(map_file(VALUES, origin=(1.5, 2, 3), cell=cell)).origin.tolist() == [1.5, 2.0, 3.0]
    agreeing = io.read_map(map_file(VALUES, start=(1, 2, 3), origin=(2, 4, 6), cell=cell))
    assert agreeing.notes == ()


def test_packed_and_plain_agree(map_file):
    plain = io.read_map(map_file(VALUES)).density
    assert (io.read_map(map_file(VALUES, pack=gzip.compress)).density == plain).all()


@pytest.mark.parametrize(
    ("offset", "form", "value", "reason"),
    [
        (0, "<3i", (2000, 2000, 2000), "more than motet reads"),
        (0, "<3i", (0, 4, 5), "claims 0"),
        (0, "<3i", (-1, -1, 60), "claims -1"),
        (0, "<3i", (500, 400, 300), "bytes"),
        (12, "<i", (4,), "mode 4"),
        (28, "<3i", (0, 0, 0), "sampling"),
        (40, "<3f", (0, 0, 0), "without size"),
        (40, "<3f", (-5, 4, 3), "without size"),
        (52, "<3f", (10, 10, 170), "cannot exist"),
        (92, "<i", (-4,), "extended"),
        (92, "<i", (2_000_000_000,), "extended"),
        (196, "<f", (float("nan"),), "not a number"),
        (1024, "<f", (float("inf"),), "1 voxel"),
    ],
)
def test_a_lying_header_is_refused(offset, form, value, reason, map_file):
    path = map_file(VALUES)
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, offset, *value)
    path.write_bytes(data)
    with pytest.raises(FormatError, match=reason):
        io.read_map(path)


def test_real_maps_stand_where_their_models_do(shared):
    """The density is above its mean at the atoms of the model that was fitted to it."""
    for folder, model in (("emd20026_apoferritin", "3ajo_fitted_refined.pdb"), ("emd2566_mito_bL9", "3J6B_9.pdb")):
        path = next((shared / "density" / folder).glob("*.mrc"))
        found = io.read_map(path)
        protein = io.read(shared / "density" / folder / model).select("backbone")
        index = ((protein.coords - found.origin) / found.voxel).round().long()
        size = index.new_tensor(found.density.shape)
        inside = ((index >= 0) & (index < size)).all(-1)
        assert inside.float().mean() > 0.9
        values = found.density[tuple(index[inside].T)]
        assert (values > found.density.mean() + found.density.std()).float().mean() > 0.8
