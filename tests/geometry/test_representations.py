"""Representations: blind to how a conformation lies, and far apart where shapes are."""

import math

import pytest
import torch

from motet.errors import ConfigError, MissingAtomsError
from motet.geometry import (
    REPRESENTATIONS,
    BackboneCircle,
    CarbonDistances,
    Representation,
    SuperposedCarbons,
    backbone_from_torsions,
    rmsd,
)
from motet.structure import structure_from_backbone


@pytest.fixture
def wobbling(draw):
    """Thirty conformations of thirty residues, by small turns of φ and ψ."""
    phi, psi = (
        torch.full((30, 30), angle, dtype=torch.float64)
        + 0.1 * torch.randn(30, 30, generator=draw, dtype=torch.float64)
        for angle in (-1.1, -0.8)
    )
    return structure_from_backbone("A" * 30, backbone_from_torsions(phi, psi))


@pytest.mark.parametrize("representation", REPRESENTATIONS.values(), ids=lambda one: one.name)
def test_how_a_conformation_lies_does_not_matter(representation, wobbling, spin):
    assert isinstance(representation, Representation)
    coords = wobbling.coords
    turned = coords.clone()
    turned[3:7] = coords[3:7] @ spin + 11
    rows, moved = (representation(wobbling.topology, one) for one in (coords, turned))
    torch.testing.assert_close(torch.cdist(moved, moved), torch.cdist(rows, rows), atol=2e-3, rtol=0)
    assert len(rows) == 30
    assert rows.isfinite().all()


@pytest.mark.parametrize("representation", REPRESENTATIONS.values(), ids=lambda one: one.name)
def test_a_bent_chain_is_farther_than_a_wobble(representation, wobbling, draw):
    phi = torch.full((2, 30), -1.1, dtype=torch.float64)
    psi = torch.full((2, 30), -0.8, dtype=torch.float64)
    psi[1, 10:18] = 2.3  # a stretch of helix becomes a strand
    both = backbone_from_torsions(phi, psi).flatten(1, 2)
    rows = representation(wobbling.topology, torch.cat((both, wobbling.coords)))
    distances = torch.cdist(rows, rows)
    assert distances[0, 1] > 2 * distances[0, 2:].median()


def test_superposed_rows_are_as_far_apart_as_the_rmsd_says(wobbling):
    rows = SuperposedCarbons()(wobbling.topology, wobbling.coords)
    carbons = wobbling.coords[:, wobbling.topology.atom_index("CA")]
    apart = torch.cdist(rows[:1], rows)[0, 1:]
    best = rmsd(carbons[:1].expand(29, -1, -1), carbons[1:])
    assert (apart >= best - 1e-9).all()  # one superposition for all cannot beat the best for two
    torch.testing.assert_close(apart, best, rtol=0.25, atol=0)


def test_torsions_have_no_edge_at_half_a_turn(wobbling):
    phi = torch.full((2, 30), -1.1, dtype=torch.float64)
    psi = torch.tensor([[math.pi - 0.01], [-math.pi + 0.01]], dtype=torch.float64).expand(2, 30)
    rows = BackboneCircle()(wobbling.topology, backbone_from_torsions(phi, psi).flatten(1, 2))
    assert float((rows[0] - rows[1]).norm()) < 0.03


def test_a_long_chain_is_sampled_not_refused(wobbling):
    few = CarbonDistances(most=40)(wobbling.topology, wobbling.coords)
    assert few.shape[1] <= 40
    assert CarbonDistances()(wobbling.topology, wobbling.coords).shape[1] == 27 * 28 // 2


def test_what_is_far_apart_is_merely_apart(wobbling):
    near = CarbonDistances(reach=12.0)(wobbling.topology, wobbling.coords)
    assert float(near.max()) <= 12.0 / math.sqrt(near.shape[1])


def test_what_is_missing_is_said(wobbling):
    with pytest.raises(MissingAtomsError, match="CA"):
        SuperposedCarbons()(*_only(wobbling, "N"))
    with pytest.raises(MissingAtomsError, match="torsions"):
        BackboneCircle()(*_only(wobbling, "CA"))
    with pytest.raises(ConfigError, match="reach"):
        CarbonDistances(reach=0.0)


def _only(structure, name):
    kept = structure.subset(structure.topology.atom_names == name)
    return kept.topology, kept.coords
