import pytest
import torch

from motet.ensemble.loops import Modelling, find_region, model_loop
from motet.geometry.loops import Building

SMALL = Modelling(count=12, built=3.0, relaxed=3, relax_steps=30, building=Building(chains=500, closures=1500))


@pytest.fixture(scope="module")
def models(start):
    return model_loop(find_region(start, "A:8-14"), SMALL)


def test_models_have_the_atoms_of_the_start_and_leave_the_rest_where_it_is(start, models):
    assert models.structure.topology == start.topology
    loop = torch.from_numpy((start.topology.residue_of_atom >= 7) & (start.topology.residue_of_atom <= 13))
    torch.testing.assert_close(models.structure.coords[:, ~loop], start.coords[~loop].expand(12, -1, -1))
    assert models.structure.coords.isfinite().all()
    assert (models.structure.coords[:, loop] - start.coords[loop]).norm(dim=-1).amax(-1).min() > 0.5


def test_models_are_ordered_by_score_the_relaxed_ones_first(models):
    assert models.relaxed.tolist() == [True] * 3 + [False] * 9
    assert (models.score[:3].diff() >= 0).all()
    assert (models.score[3:].diff() >= 0).all()


def test_the_relaxed_ones_had_the_lowest_energies(models):
    totals = models.energies.sum(-1)
    assert totals[:3].max() < totals[3:].min()


def test_every_peptide_bond_is_whole(models):
    topology = models.structure.topology
    carbon, nitrogen = topology.atom_index("C")[:-1], topology.atom_index("N")[1:]
    bonds = models.structure.coords[:, carbon] - models.structure.coords[:, nitrogen]
    assert (bonds.norm(dim=-1) - 1.33).abs().max() < 0.1


def test_the_native_loop_does_not_help(start, models):
    """The same models come out when the loop is missing from the file and given as a sequence."""
    gone = find_region(start, "A:8-14").structure
    again = model_loop(find_region(gone, "A:8-14", "KDGGPSS"), SMALL)
    torch.testing.assert_close(again.structure.coords, models.structure.coords)
