"""Maps stay where they are, however a file says it."""

import itertools

import numpy as np
import pytest
import torch

from motet import io
from motet.density import DensityMap, Grid, correlation, render
from motet.errors import ConfigError, OutputExistsError

AXES = torch.tensor([[0.9, 0.0, 0.0], [0.21, 1.3, 0.0], [-0.1, 0.15, 1.1]])
FAR = Grid((6, 7, 8), AXES, torch.tensor([374.0071, -218.3203, 1164.2117]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_coordinates_and_voxels_are_inverse_far_from_the_origin(dtype):
    points = (FAR.centres()[::2, ::3, ::2] + 0.3).to(dtype)
    back = FAR.to_coords(FAR.to_voxels(points))
    assert (back.double() - points.double()).abs().max() < (1e-4 if dtype == torch.float32 else 1e-9)
    exact = (points.double() - FAR.origin) @ torch.linalg.inv(AXES.double())
    assert (FAR.to_voxels(points).double() - exact).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["there.mrc", "there.map.gz"])
def test_a_map_reads_back_as_written(name, tmp_path):
    density = DensityMap(torch.randn(6, 7, 8, generator=torch.Generator().manual_seed(0)), FAR)
    density.write(tmp_path / name)
    again = DensityMap.read(tmp_path / name)
    assert torch.equal(again.density, density.density)
    assert (again.grid.axes - FAR.axes).abs().max() < 1e-6
    assert (again.grid.origin - FAR.origin).abs().max() < 1e-4
    with pytest.raises(OutputExistsError):
        density.write(tmp_path / name)


def test_a_whole_number_of_voxels_is_written_twice_and_agrees(tmp_path):
    grid = Grid((4, 5, 6), torch.diag(torch.tensor([1.5, 1.0, 2.0])), torch.tensor([3.0, -4.0, 10.0]))
    DensityMap(torch.arange(120.0).reshape(4, 5, 6), grid).write(tmp_path / "m.mrc")
    header = np.frombuffer((tmp_path / "m.mrc").read_bytes()[:1024], "<i4")
    assert header[4:7].tolist() == [2, -4, 5]
    assert not [one for one in io.read_map(tmp_path / "m.mrc").notes if one.kind == "warning"]


@pytest.fixture
def picture(trp_cage, electrons):
    """A map of Trp-cage whose origin is a whole number of voxels, so that nstart can say it, too."""
    axes = torch.diag(torch.tensor([0.9, 1.0, 1.1]))
    grid = Grid((40, 36, 38), axes, torch.tensor([-18.0, -18.0, -19.8]))
    ones = torch.ones(trp_cage.n_atoms)
    return DensityMap(render(trp_cage.coords.float(), electrons, 20 * ones, ones, grid), grid)


def fit(density, trp_cage, electrons, coords=None):
    ones = torch.ones(trp_cage.n_atoms)
    coords = trp_cage.coords.float() if coords is None else coords
    calculated = render(coords, electrons, 30 * ones, ones, density.grid)
    return float(correlation(calculated, density.density))


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_a_permuted_file_with_nstart_has_the_same_correlation(order, picture, trp_cage, electrons, tmp_path):
    """Axes in any order, and the place once in nstart, once in ORIGIN."""
    picture.write(tmp_path / "plain.mrc")
    data = bytearray((tmp_path / "plain.mrc").read_bytes())
    words = np.frombuffer(data, "<i4", 256).copy()
    size, start = words[0:3].copy(), words[4:7].copy()
    words[0:3], words[4:7], words[16:19] = size[list(order)], start[list(order)], np.array(order) + 1
    words[49:52] = 0
    values = np.frombuffer(data, "<f4", offset=1024).reshape(size[2], size[1], size[0])
    turned = values.transpose([2 - axis for axis in reversed(order)])
    (tmp_path / "turned.mrc").write_bytes(words.tobytes() + np.ascontiguousarray(turned).tobytes())
    again = DensityMap.read(tmp_path / "turned.mrc")
    expected = fit(picture, trp_cage, electrons)
    assert expected > 0.9
    assert fit(again, trp_cage, electrons) == pytest.approx(expected, abs=1e-4)


def test_a_turned_and_shifted_map_has_the_same_correlation_as_its_model(picture, trp_cage, electrons, tmp_path):
    """A quarter turn about z and a shift that is no whole number of voxels."""
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    shift = torch.tensor([101.37, -55.21, 33.33])
    grid = picture.grid
    last = grid.to_coords(torch.tensor([0.0, grid.shape[1] - 1.0, 0.0]))
    axes = torch.diag(grid.axes.diagonal()[[1, 0, 2]])
    moved = Grid((grid.shape[1], grid.shape[0], grid.shape[2]), axes, (turn @ last.float() + shift))
    turned = DensityMap(picture.density.flip(1).transpose(0, 1).contiguous(), moved)
    turned.write(tmp_path / "turned.mrc")
    coords = trp_cage.coords.float() @ turn.T + shift
    found = fit(DensityMap.read(tmp_path / "turned.mrc"), trp_cage, electrons, coords)
    assert found == pytest.approx(fit(picture, trp_cage, electrons), abs=1e-4)


def test_interpolation_is_exact_at_voxels_and_on_a_plane():
    index = torch.stack(torch.meshgrid(*(torch.arange(n).double() for n in FAR.shape), indexing="ij"), -1)
    plane = DensityMap((index * torch.tensor([1.0, -2.0, 0.5]).double()).sum(-1), FAR)
    assert torch.allclose(plane.at(FAR.centres()), plane.density)
    between = FAR.to_coords(torch.tensor([2.3, 4.1, 5.7]).double())
    assert plane.at(between).item() == pytest.approx(2.3 - 8.2 + 2.85)
    assert plane.at(between + 100).item() == 0


def test_a_crop_keeps_its_place(picture, trp_cage, electrons):
    near = picture.cropped(trp_cage.coords, 3.0)
    assert near.grid.count < picture.grid.count
    assert torch.allclose(near.at(trp_cage.coords), picture.at(trp_cage.coords))
    with pytest.raises(ConfigError, match="outside"):
        picture.cropped(trp_cage.coords + 500, 3.0)
