import struct

import numpy as np
import pytest
import torch
from biotraj import DCDTrajectoryFile, XTCTrajectoryFile

from motet import io
from motet.errors import ConfigError, FormatError, OutputExistsError, TopologyMismatchError


@pytest.fixture(scope="module")
def topology(examples):
    return io.read(examples / "1l2y.pdb").topology


@pytest.fixture(scope="module")
def coords(topology):
    return 20 * torch.randn(150, topology.n_atoms, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("suffix", "error"), [(".xtc", 0.0051), (".dcd", 0.0)])
@pytest.mark.parametrize("stride", [1, 2, 7, 64, 149, 150, 1000])
def test_frames_come_back(suffix, error, stride, topology, coords, tmp_path):
    path = tmp_path / f"run{suffix}"
    io.write_trajectory(path, coords)
    found = io.read_trajectory(path, topology, stride)
    assert found.shape == coords[::stride].shape
    assert (found - coords[::stride]).abs().max() <= error


@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_streaming_gives_the_same_frames(suffix, topology, coords, tmp_path):
    path = tmp_path / f"run{suffix}"
    io.write_trajectory(path, coords)
    parts = list(io.stream_trajectory(path, topology, 2))
    assert len(parts) > 1
    assert (torch.cat(parts) == io.read_trajectory(path, topology, 2)).all()


def test_another_program_reads_what_we_write(coords, tmp_path):
    io.write_trajectory(tmp_path / "a.dcd", coords)
    io.write_trajectory(tmp_path / "a.xtc", coords)
    with DCDTrajectoryFile(str(tmp_path / "a.dcd")) as file:
        np.testing.assert_array_equal(file.read()[0], coords.numpy())
    with XTCTrajectoryFile(str(tmp_path / "a.xtc")) as file:
        np.testing.assert_allclose(file.read()[0] * 10, coords.numpy(), atol=0.0051)


def test_we_read_what_another_program_writes(topology, coords, tmp_path):
    with DCDTrajectoryFile(str(tmp_path / "plain.dcd"), "w") as file:
        file.write(coords.numpy())
    with DCDTrajectoryFile(str(tmp_path / "cell.dcd"), "w") as file:
        ones = np.ones((len(coords), 3), dtype=np.float32)
        file.write(coords.numpy(), 90 * ones, 90 * ones)
    for name in ("plain.dcd", "cell.dcd"):
        assert (io.read_trajectory(tmp_path / name, topology) == coords).all()


def test_the_other_byte_order_is_read(topology, coords, tmp_path):
    path = tmp_path / "a.dcd"
    io.write_trajectory(path, coords[:3])
    data = np.frombuffer(path.read_bytes(), dtype="<u4").byteswap().tobytes()
    swapped = data[:4] + b"CORD" + data[8:100] + path.read_bytes()[100:180] + data[180:]
    path.write_bytes(swapped)
    assert (io.read_trajectory(path, topology) == coords[:3]).all()


def test_batch_dimensions_become_frames(topology, coords, tmp_path):
    io.write_trajectory(tmp_path / "a.dcd", coords[:6].reshape(2, 3, -1, 3))
    assert (io.read_trajectory(tmp_path / "a.dcd", topology) == coords[:6]).all()


@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_equal_coordinates_give_equal_bytes(suffix, coords, tmp_path):
    for name in "ab":
        io.write_trajectory(tmp_path / f"{name}{suffix}", coords)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.02, 1 / 3, 0.5, 0.999])
def test_a_cut_off_file_is_refused(suffix, part, topology, coords, tmp_path):
    path = tmp_path / f"run{suffix}"
    io.write_trajectory(path, coords)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole)) // 4 * 4 + 2])  # frames are whole words
    with pytest.raises((FormatError, TopologyMismatchError)):
        io.read_trajectory(path, topology)


@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_a_handful_of_atoms_comes_back(suffix, topology, coords, tmp_path):
    """XTC does not pack nine atoms or fewer."""
    few = topology.subset(np.arange(topology.n_atoms) < 5)
    io.write_trajectory(tmp_path / f"run{suffix}", coords[:, :5])
    found = io.read_trajectory(tmp_path / f"run{suffix}", few)
    assert (found - coords[:, :5]).abs().max() < 0.0051


@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_another_number_of_atoms_is_refused(suffix, topology, coords, tmp_path):
    path = tmp_path / f"run{suffix}"
    io.write_trajectory(path, coords[:, :50])
    with pytest.raises(TopologyMismatchError, match="50 atoms"):
        io.read_trajectory(path, topology)


@pytest.mark.parametrize(("suffix", "offset", "form"), [(".xtc", 4, ">i"), (".dcd", 200 - 8, "<i")])
def test_a_claim_of_many_atoms_allocates_nothing(suffix, offset, form, topology, coords, tmp_path):
    path = tmp_path / f"run{suffix}"
    io.write_trajectory(path, coords)
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, offset, 2**31 - 1)
    path.write_bytes(data)
    with pytest.raises((FormatError, TopologyMismatchError)):
        io.read_trajectory(path, topology)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_what_is_no_coordinate_is_not_written(bad, suffix, coords, tmp_path):
    broken = coords[:2].clone()
    broken[1, 3, 0] = bad
    with pytest.raises(FormatError):
        io.write_trajectory(tmp_path / f"run{suffix}", broken)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_named(topology, coords, tmp_path):
    with pytest.raises(FormatError, match=r"use \.xtc or \.dcd"):
        io.write_trajectory(tmp_path / "run.trr", coords)
    with pytest.raises(FormatError, match="no frames"):
        io.write_trajectory(tmp_path / "run.xtc", coords[:0])
    io.write_trajectory(tmp_path / "run.xtc", coords[:1])
    with pytest.raises(OutputExistsError):
        io.write_trajectory(tmp_path / "run.xtc", coords[:1])
    with pytest.raises(ConfigError, match="stride=0"):
        io.read_trajectory(tmp_path / "run.xtc", topology, 0)
    (tmp_path / "text.xtc").write_text("not a trajectory")
    with pytest.raises(FormatError, match="neither XTC nor DCD"):
        io.read_trajectory(tmp_path / "text.xtc", topology)
