"""Refinement finds its way back, can be stopped, and doubts itself."""

import pytest
import torch

from motet.density import DensityMap, Grid, ModelDensity, phase_randomised
from motet.ensemble import Checkpoint, Ensemble, prepared
from motet.ensemble.refinement import Refinement, RefinementPlan, fitted_shares, refine_mixture
from motet.ensemble.refinement.hinging import bent
from motet.ensemble.refinement.overfitting import judged_by_halves, judged_by_noise
from motet.errors import ConfigError, ResumeError
from motet.forcefield import ForceField, ideal_bond_lengths
from motet.geometry import Rigid, even_rotations, rmsd
from motet.io import read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trp_cage(examples):
    return prepared(read(examples / "1l2y.pdb")).model(0)


@pytest.fixture(scope="module")
def system(trp_cage):
    return ForceField().bind(trp_cage)


def seen(structure, coords, resolution=3.0, b_factor=40.0):
    """A map of 1 Å voxels in which a model is seen."""
    low, high = coords.reshape(-1, 3).amin(0) - 8, coords.reshape(-1, 3).amax(0) + 8
    x, y, z = (high - low).ceil().long().tolist()
    grid = Grid((x, y, z), torch.eye(3), low)
    uniform = structure.__class__(
        structure.topology,
        structure.coords,
        torch.full((structure.n_atoms,), b_factor),
        torch.ones(structure.n_atoms),
    )
    model = ModelDensity.of(uniform, grid, resolution)
    return model, grid


@pytest.fixture(scope="module")
def density(trp_cage):
    model, grid = seen(trp_cage, trp_cage.coords)
    return DensityMap(model(trp_cage.coords), grid)


@pytest.fixture(scope="module")
def start(trp_cage, system):
    """Shaken by a smooth wave and by noise: 1.2 Å away."""
    noise = torch.Generator().manual_seed(4)
    centred = trp_cage.coords - trp_cage.coords.mean(0)
    wave = torch.sin(centred @ torch.randn(3, 3, generator=noise) / 6)
    moved = trp_cage.coords + 1.6 * wave + 0.2 * torch.randn(centred.shape, generator=noise)
    return trp_cage.with_coords(moved)


SHORT = RefinementPlan(resolution=3.0, dynamics=30, minimising=25, doubt=False, docking="never")


@pytest.fixture(scope="module")
def refined(start, system, density):
    return Refinement(start, system, density, SHORT).run()


def test_a_shaken_model_comes_back(refined, trp_cage, start):
    away = rmsd(start.coords, trp_cage.coords, fit=False)
    back = rmsd(refined.structure.coords, trp_cage.coords, fit=False)
    assert away > 0.9
    assert back < 0.5 * away
    assert refined.end.cc_mask > refined.start.cc_mask + 0.1
    assert refined.end.energy < refined.start.energy


def test_its_bonds_are_bonds(refined):
    bonds, ideal = ideal_bond_lengths(refined.structure)
    coords = refined.structure.coords
    lengths = (coords[bonds[:, 0]] - coords[bonds[:, 1]]).norm(dim=-1)
    assert (lengths - ideal).square().mean().sqrt() < 0.02


def test_a_stopped_run_goes_on_to_the_same_bytes(refined, start, system, density, tmp_path):
    calls = []

    def stop(name, _):
        calls.append(name)
        if len(calls) == 3:
            raise KeyboardInterrupt

    job = Refinement(start, system, density, SHORT)
    checkpoint = Checkpoint(tmp_path, {"run": 1})
    with pytest.raises(KeyboardInterrupt):
        job.run(checkpoint, look=stop)
    again = job.run(checkpoint, look=lambda name, _: calls.append(name))
    assert len(calls) == len(again.history)
    assert torch.equal(again.structure.coords, refined.structure.coords)
    assert torch.equal(again.structure.b_factors, refined.structure.b_factors)
    assert again.history == refined.history
    with pytest.raises(ResumeError):
        job.run(Checkpoint(tmp_path, {"run": 2}))


def test_noise_is_not_fitted(start, system, density):
    """The refinement must have come to its end: one that is cut short gains by any further step."""
    plan = RefinementPlan(resolution=3.0, dynamics=60, minimising=40, docking="never")
    found = Refinement(start, system, density, plan).run().overfitting
    assert found is not None
    assert found.kind == "randomised phases"
    assert not found.overfitted


def test_halves_are_told_apart(start, system, density):
    """Two halves with noise of their own beyond 4 Å: a model of one is no better in the other."""
    halves = tuple(phase_randomised(density, 4.0, seed) for seed in (1, 2))
    plan = RefinementPlan(resolution=3.0, dynamics=15, minimising=15, docking="never")
    found = Refinement(start, system, density, plan, (halves[0], halves[1])).run().overfitting
    assert found is not None
    assert found.kind == "half maps"
    assert 0 < found.second <= 1


def test_verdicts():
    assert judged_by_halves(0.8, 0.7).overfitted
    assert not judged_by_halves(0.8, 0.79).overfitted
    assert judged_by_noise(0.6, 0.7).overfitted
    assert not judged_by_noise(0.7, 0.6).overfitted
    assert "OVERFITTED" in judged_by_halves(0.8, 0.7).words


def test_two_states_and_their_shares_are_found(trp_cage):
    """Shares of 0.7 and 0.3, one state shifted by 3 Å, both shaken by 0.25 Å."""
    states = torch.stack((trp_cage.coords, trp_cage.coords + torch.tensor([3.0, 0.0, 0.0])))
    model, grid = seen(trp_cage, states)
    shares = torch.tensor([0.7, 0.3])
    density = DensityMap((shares[:, None, None, None] * model(states)).sum(0), grid)
    torch.testing.assert_close(fitted_shares(density, states, model), shares, atol=0.01, rtol=0)
    shaken = states + 0.25 * torch.randn(states.shape, generator=torch.Generator().manual_seed(0))
    ensemble = Ensemble.of_models(trp_cage.with_coords(shaken), 300.0)
    found = refine_mixture(ensemble, density, model, ForceField(), weight=3000.0, cycles=2, steps=30)
    before, after = (rmsd(one, states, fit=False) for one in (shaken, found.coords))
    assert (after < before).all()
    torch.testing.assert_close(found.weights, shares, atol=0.05, rtol=0)


def test_a_bend_moves_domains_as_wholes_and_keeps_bonds(trp_cage):
    domains = (torch.arange(trp_cage.n_residues) >= 10).long()
    turn = Rigid(torch.stack((torch.eye(3), even_rotations(9)[3])), torch.zeros(2, 3))
    pivot = trp_cage.coords[torch.from_numpy(trp_cage.topology.residue_of_atom.copy()) == 9].mean(0)
    motions = Rigid(turn.rotation, pivot - (turn.rotation @ pivot))
    moved = bent(trp_cage.coords, trp_cage.topology, domains, motions, half_hinge=3)
    residue = torch.from_numpy(trp_cage.topology.residue_of_atom.copy())
    assert torch.equal(moved[residue < 7], trp_cage.coords[residue < 7])
    far = residue >= 13
    torch.testing.assert_close(moved[far], motions.apply(trp_cage.coords)[1][far], atol=1e-4, rtol=0)
    bonds = torch.from_numpy(trp_cage.topology.bonds.copy())
    before, after = ((one[bonds[:, 0]] - one[bonds[:, 1]]).norm(dim=-1) for one in (trp_cage.coords, moved))
    assert (after - before).abs().max() < 2.5


@pytest.mark.parametrize("wrong", [{"resolution": 0.0}, {"resolution": 3.0, "minimising": 0}])
def test_a_plan_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError):
        RefinementPlan(**wrong)
