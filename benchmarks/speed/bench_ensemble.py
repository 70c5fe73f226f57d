"""Speed of what `motet ensemble` spends its time on: steps of dynamics, relaxation, and the analysis."""

import pytest
import torch

from motet.ensemble import Langevin, analyse, minimise, prepared
from motet.ensemble.ensemble import Ensemble
from motet.forcefield import ForceField
from motet.io import read

STEPS = 10


@pytest.fixture(scope="module")
def trp_cage(examples):
    structure = prepared(read(examples / "1l2y.pdb"))
    return structure, ForceField().bind(structure)


@pytest.mark.parametrize("replicas", [1, 4, 16])
def bench_ten_steps_of_langevin(benchmark, trp_cage, replicas):
    structure, system = trp_cage
    generator = Langevin(replicas=replicas)
    state = generator.start(system, structure.coords, seed=0)
    benchmark(generator.advance, system, state, STEPS)


def bench_ten_steps_of_minimisation(benchmark, trp_cage):
    structure, system = trp_cage
    benchmark(minimise, system, structure.coords, max_steps=STEPS)


def bench_analysis_of_a_hundred_conformations(benchmark, trp_cage):
    structure, _ = trp_cage
    random = torch.Generator().manual_seed(0)
    coords = structure.coords + 0.3 * torch.randn(100, structure.n_atoms, 3, generator=random)
    benchmark(analyse, Ensemble.of_models(structure.with_coords(coords), 300.0))
