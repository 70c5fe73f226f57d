"""An analysis to show: the tryptophan cage swaying between three shapes, drawn by four chains."""

import math

import pytest
import torch

from motet.ensemble import Ensemble, Provenance, analyse
from motet.ensemble.run_record import RunRecord
from motet.io import read
from motet.structure import Note

WELLS = torch.tensor([[0.0, 0.0], [3.2, 0.6], [1.2, 3.0]])  # Å along two soft motions
TERMS = {"vdw": -42.0, "hydrogen_bond": -18.0, "electrostatics": -9.5, "clash": 3.1, "covalent": 61.0}


def swaying(structure, chains=4, draws=30, seed=0):
    """Conformations along two smooth motions, with hops between wells and a little noise."""
    random = torch.Generator().manual_seed(seed)
    count = chains * draws
    well = _hops(chains, draws, random)
    along = WELLS[well] + 0.35 * torch.randn(count, 2, generator=random)
    shift = torch.einsum("nk,krx->nrx", along, _soft_motions(structure.n_residues))
    shift = shift + 0.12 * torch.randn(count, structure.n_residues, 3, generator=random)
    residue = torch.from_numpy(structure.topology.residue_of_atom.copy())
    coords = structure.coords.reshape(-1, structure.n_atoms, 3)[0] + shift[:, residue]
    means = torch.tensor(list(TERMS.values()))
    energies = means + means.abs().sqrt() * torch.randn(count, len(TERMS), generator=random)
    return Ensemble(
        structure.with_coords(coords),
        weights=torch.full((count,), 1 / count),
        energy_terms=tuple(TERMS),
        energies=energies + 0.8 * well[:, None],
        replica=torch.arange(chains).repeat_interleave(draws),
        step=(torch.arange(draws) * 500 + 1000).repeat(chains),
        provenance=Provenance("langevin", 300.0, seed, "sampled", {"timestep": 2.0, "relax_steps": 60}),
    )


def _hops(chains, draws, random):
    """Well of each conformation: a chain stays with nine chances in ten, and comes home more often than not."""
    wells = []
    for _ in range(chains):
        well = 0
        for _ in range(draws):
            if float(torch.rand((), generator=random)) < 0.12:
                well = int(torch.multinomial(torch.tensor([0.6, 0.25, 0.15]), 1, generator=random))
            wells.append(well)
    return torch.tensor(wells)


def _soft_motions(residues):
    """Two unit motions that bend the ends most, `2 residues 3`."""
    place = torch.linspace(0, 1, residues)
    bend, twist = (2 * place - 1) ** 2, torch.sin(2 * math.pi * place)
    zero = torch.zeros_like(place)
    return torch.stack((torch.stack((bend, zero, twist / 3), -1), torch.stack((zero, twist, bend / 2), -1)))


@pytest.fixture(scope="session")
def ensemble(examples):
    """A hundred and twenty conformations of 1l2y."""
    structure = read(examples / "1l2y.pdb")
    return swaying(structure.with_notes(Note("kept", "2 waters are carried along but not seen by the physics.")))


@pytest.fixture(scope="session")
def analysis(ensemble):
    """What motet says of them."""
    return analyse(ensemble)


@pytest.fixture(scope="session")
def record():
    """A run like any other."""
    return RunRecord(
        command="ensemble",
        arguments={"input": "1l2y.pdb", "count": 120, "replicas": 4, "temperature": 300.0},
        seed=0,
        device="cpu",
        inputs={"1l2y.pdb": "b3f5" * 16},
        timings={"prepare": 0.42, "sample": 83.0, "analyse": 1.7},
        notes=(("repaired", "3 missing side-chain atoms of A:LYS8 were built."),),
    )
