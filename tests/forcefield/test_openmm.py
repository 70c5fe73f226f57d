"""Amber through OpenMM: the same numbers as OpenMM's own, behind the protocol of every energy."""

import json
import sys

import pytest
import torch
from torch.autograd import gradcheck

from motet.ensemble import minimise
from motet.errors import ConfigError, MissingExtraError, NonFiniteError, TopologyMismatchError
from motet.forcefield import ForceField, OpenMMEnergy
from motet.io import read, write

KILOJOULES, ANGSTROM_PER_NM = 4.184, 10.0


@pytest.fixture(scope="module")
def file(examples, tmp_path_factory):
    """1l2y, first model, with hydrogens."""
    structure = read(examples / "1l2y.pdb")
    path = tmp_path_factory.mktemp("openmm") / "peptide.pdb"
    write(structure.with_coords(structure.model(0).coords).completed(hydrogens=True), path)
    return path


@pytest.fixture(scope="module")
def peptide(file):
    structure = read(file)
    return structure.with_coords(structure.model(0).coords.double())


@pytest.fixture(scope="module")
def app():
    pytest.importorskip("openmm", reason="needs OpenMM: pip install 'motet[openmm]'")
    return pytest.importorskip("openmm.app")


@pytest.fixture(scope="module")
def amber(app, peptide):
    return OpenMMEnergy(peptide, platform="Reference")


def shaken(structure, seeds, by):
    generator = torch.Generator().manual_seed(0)
    return structure.coords + by * torch.randn(
        seeds, *structure.coords.shape, generator=generator, dtype=torch.float64
    )


def test_without_openmm_one_line_says_what_to_install(peptide, monkeypatch):
    monkeypatch.setitem(sys.modules, "openmm", None)
    with pytest.raises(MissingExtraError, match=r"motet\[openmm\]"):
        OpenMMEnergy(peptide)


@pytest.mark.parametrize("solvent", ["vacuum", "obc2", "gbn2"])
def test_energy_and_gradient_are_those_of_openmm_itself(app, peptide, file, solvent):
    import openmm

    pdb = app.PDBFile(str(file))
    files = ["amber14/protein.ff14SB.xml"] + ([] if solvent == "vacuum" else [f"implicit/{solvent}.xml"])
    system = app.ForceField(*files).createSystem(pdb.topology)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    context.setPositions(pdb.positions)
    state = context.getState(getEnergy=True, getForces=True)
    expected = state.getPotentialEnergy()._value / KILOJOULES
    forces = torch.tensor(state.getForces(asNumpy=True)._value) / KILOJOULES / ANGSTROM_PER_NM
    coords = peptide.coords.clone().requires_grad_()
    energy = OpenMMEnergy(peptide, solvent=solvent, ionic_strength=0.0, platform="Reference")(coords)
    assert energy.item() == pytest.approx(expected, abs=0.01)
    torch.testing.assert_close(torch.autograd.grad(energy, coords)[0], -forces, rtol=1e-3, atol=0.02)


def test_energy_is_the_recorded_one(app, shared):
    """OpenMM 8.6.1, amber14 with GBn2, no cut-off: see `_about` of the file."""
    known = json.loads((shared / "references" / "reference_energies.json").read_text())
    known = known["OpenMM_amber14_gbn2"]["energies"]["1ubq"]
    structure = read(shared / "structures" / "1ubq_H.pdb")
    energy = OpenMMEnergy(structure, solvent="gbn2", ionic_strength=0.0)
    coords = structure.model(0).coords.double().requires_grad_()
    value = energy(coords)
    gradient = torch.autograd.grad(value, coords)[0]
    assert value.item() == pytest.approx(known["total"], abs=0.02)
    assert gradient.norm().item() == pytest.approx(known["force_norm"], rel=1e-4)


def test_forces_agree_with_finite_differences(amber, peptide):
    assert gradcheck(amber, peptide.coords.clone().requires_grad_(), atol=1e-3, rtol=1e-4, fast_mode=True)


def test_a_batch_equals_a_loop(amber, peptide):
    coords = shaken(peptide, 4, 0.02).reshape(2, 2, -1, 3)
    together = amber(coords)
    assert together.shape == (2, 2)
    torch.testing.assert_close(together.flatten(), torch.stack([amber(one) for one in coords.flatten(0, 1)]))


def test_energy_ignores_rigid_motion(amber, peptide):
    spin = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64)
    moved = peptide.coords @ torch.linalg.matrix_exp(spin) + 7
    torch.testing.assert_close(amber(moved), amber(peptide.coords))


def test_salt_screens_the_solvent(app, peptide):
    energies = [
        OpenMMEnergy(peptide, ionic_strength=salt, platform="Reference")(peptide.coords)
        for salt in (0.0, 0.15, 1.0)
    ]
    assert energies[0] > energies[1] > energies[2]


def test_atoms_in_one_place_spoil_no_other_conformation(amber, peptide):
    coords = torch.stack((peptide.coords, torch.zeros_like(peptide.coords), peptide.coords)).requires_grad_()
    energies = amber(coords)
    gradient = torch.autograd.grad(energies.sum(), coords)[0]
    assert energies.isfinite().all()
    assert gradient.isfinite().all()
    torch.testing.assert_close(energies[0], energies[2])
    assert energies[1] > energies[0]


@pytest.mark.slow
def test_it_adds_to_the_force_field_and_can_be_minimised(amber, peptide):
    together = ForceField().bind(peptide) + 0.5 * amber
    start = together(peptide.coords)
    found = minimise(together, peptide.coords, max_steps=10)
    assert found.energies < start - 50
    torch.testing.assert_close(together(found.coords), found.energies)


def test_wrong_requests_are_named(app, amber, peptide):
    with pytest.raises(ConfigError, match=r"completed\(hydrogens=True\)"):
        OpenMMEnergy(peptide.without_hydrogens())
    with pytest.raises(ConfigError, match="solvent"):
        OpenMMEnergy(peptide, solvent="tip3p")
    with pytest.raises(ConfigError, match="platform"):
        OpenMMEnergy(peptide, platform="Abacus")
    with pytest.raises(TopologyMismatchError):
        amber(peptide.coords[1:])
    with pytest.raises(NonFiniteError):
        amber(peptide.coords * torch.nan)
