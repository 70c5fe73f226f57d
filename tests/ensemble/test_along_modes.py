"""Draws along soft modes: as far as asked, whole, in nobody's way, and the same again."""

import pytest
import torch

from motet.ensemble import AlongModes, Plan, inspect_geometry, prepared, produce
from motet.ensemble.elastic_modes import ElasticModes
from motet.ensemble.landscape import Landscape
from motet.errors import ConfigError
from motet.forcefield import ForceField
from motet.geometry import backbone_torsions, rmsd
from motet.io import read

from .peptides import Toward, peptide


@pytest.fixture(scope="module")
def trp_cage(examples):
    structure = prepared(read(examples / "1l2y.pdb"))
    return structure, ForceField().bind(structure)


@pytest.fixture(scope="module")
def ensemble(trp_cage):
    structure, system = trp_cage
    plan = Plan(count=20, minimise_steps=50, relax_steps=0)
    return produce(structure, system, AlongModes(topology=structure.topology), plan)


@pytest.fixture(scope="module")
def strung():
    structure = peptide("AKGSLGAFA")
    carbons = structure.topology.atom_index("CA")
    return structure, Toward(structure.n_atoms, (int(carbons[0]), int(carbons[-1])), 12.0, 0.5)


def modes_of(peptide_and_spring, most):
    structure, system = peptide_and_spring
    start = structure.coords.double()
    landscape = Landscape.of(structure.topology, system, start, torch.float64)
    return landscape, start, ElasticModes.of(landscape, start, most)


def test_modes_are_orthonormal_and_softest_first(strung):
    _, _, modes = modes_of(strung, 12)
    unit = torch.eye(12, dtype=modes.directions.dtype)
    torch.testing.assert_close(modes.directions @ modes.directions.mT, unit)
    assert (modes.lengths.diff() <= 0).all()


def test_the_length_of_a_mode_is_how_far_it_moves_the_chain(strung):
    landscape, start, modes = modes_of(strung, 6)
    carbons = torch.from_numpy(landscape.topology.atom_index("CA").copy())
    step = 1e-4
    moved = landscape.atoms(step * modes.directions @ modes.factor.mT)[:, carbons]
    shift = rmsd(moved, start[carbons].expand_as(moved)) / step
    torch.testing.assert_close(shift, modes.lengths, rtol=1e-2, atol=0)


def test_draws_go_as_far_as_asked(trp_cage, ensemble):
    structure, system = trp_cage
    carbons = torch.from_numpy(structure.topology.atom_index("CA"))
    drawn = ensemble.coords[:, carbons]
    centre = AlongModes(topology=structure.topology).start(system, structure.coords, 0).start[carbons]
    away = rmsd(drawn.double(), centre.expand_as(drawn))
    assert 0.5 < float(away.mean()) < 1.5


def test_the_chain_stays_whole(ensemble):
    found = inspect_geometry(ensemble.structure)
    assert found.worst_bond.max() < 0.01
    assert found.closest_pair.min() > 2.0
    _, _, omega, exists = backbone_torsions(ensemble.structure.topology, ensemble.coords)
    assert (omega[:, exists[:, 2]].cos() < -0.7).all()


def test_they_do_not_claim_to_be_draws_from_the_energy(ensemble):
    assert ensemble.provenance.weighting == "given"


def test_a_resumed_run_equals_one_that_was_not_stopped(strung):
    structure, system = strung
    generator = AlongModes(topology=structure.topology, replicas=2)
    state = generator.start(system, structure.coords, 3)
    expected = []
    for _ in range(3):
        state, coords = generator.draw(system, state)
        expected.append((generator.pack(state), coords))
    state = generator.unpack(expected[0][0])
    for _, coords in expected[1:]:
        state, found = generator.draw(system, state)
        assert torch.equal(found, coords)
    assert generator.step(state) == 3


def test_what_may_not_move_stands_still(strung):
    structure, system = strung
    held = Toward(structure.n_atoms, system.pair, 12.0, 0.5)
    held.mobile = torch.arange(structure.n_atoms) >= 20
    generator = AlongModes(topology=structure.topology, replicas=3)
    state = generator.start(held, structure.coords, 0)
    _, coords = generator.draw(held, state)
    torch.testing.assert_close(coords[:, :20].double(), state.start[:20].expand(3, 20, 3), atol=1e-4, rtol=0)
    assert (coords[0] - coords[1]).abs().amax() > 0.1


@pytest.mark.parametrize("setting", [{"amplitude": 0.0}, {"modes": 0}, {"settle_steps": -1}, {"replicas": 0}])
def test_settings_out_of_range_are_refused(strung, setting):
    with pytest.raises(ConfigError):
        AlongModes(topology=strung[0].topology, **setting)
