"""A small protein, its electrons, and grids of every kind around it."""

import pytest
import torch

from motet.density import Grid, Scatterers, scatterers_of
from motet.io import read
from motet.structure import Structure


@pytest.fixture(scope="session")
def trp_cage(examples) -> Structure:
    """1l2y, first model, heavy atoms, in float64."""
    structure = read(examples / "1l2y.pdb")
    heavy = structure.subset(~structure.topology.is_hydrogen)
    return heavy.with_coords(heavy.model(0).coords.double())


@pytest.fixture(scope="session")
def electrons(trp_cage) -> Scatterers:
    return scatterers_of(trp_cage.topology)


def around(coords: torch.Tensor, axes: torch.Tensor, margin: float = 8.0) -> Grid:
    """A grid with these steps that holds some points."""
    inverse = torch.linalg.inv(axes.double())
    voxels = coords.double() @ inverse
    reach = margin * inverse.norm(dim=0)
    low, high = (voxels.amin(0) - reach).floor(), (voxels.amax(0) + reach).ceil()
    x, y, z = (high - low).long().tolist()
    return Grid((x, y, z), axes, low @ axes.double() + torch.tensor([0.123, -0.456, 0.789]).double())


SQUARE = torch.diag(torch.tensor([0.9, 1.0, 1.1]))
OBLIQUE = torch.tensor([[0.9, 0.0, 0.0], [0.2, 1.0, 0.0], [-0.1, 0.15, 1.1]])


@pytest.fixture(params=[SQUARE, OBLIQUE], ids=["orthogonal", "oblique"])
def grid(request, trp_cage) -> Grid:
    return around(trp_cage.coords, request.param)
