"""Energy, energy + gradient, and batches of conformations, one thread: `pytest benchmarks --benchmark-enable`.

To beat, energy + gradient: 8 ms at 76 residues, 20 ms at 214, 79 ms at 753 (tmol 0.2.0).
Peers side by side: `peers.py`.
"""

from pathlib import Path

import pytest
import torch

from motet.forcefield import ForceField
from motet.io import read

STRUCTURES = Path(__file__).parents[2].parent / "shared" / "data" / "structures"
PROTEINS = ["1ubq", "4ake_A", "5opj"]


@pytest.fixture(params=PROTEINS)
def structure(request):
    path = STRUCTURES / f"{request.param}.pdb"
    if not path.is_file():
        pytest.skip(f"needs the shared structure {path}")
    return read(path)


def several(structure, conformations: int) -> torch.Tensor:
    coords = structure.model(0).coords
    noise = torch.randn(conformations, *coords.shape, generator=torch.Generator().manual_seed(0))
    return coords + 0.05 * noise


def energy_and_gradient(system, coords):
    coords = coords.detach().requires_grad_()
    return torch.autograd.grad(system(coords).sum(), coords)[0]


def bench_binding(benchmark, structure):
    benchmark(ForceField().bind, structure)


def bench_energy(benchmark, structure):
    system, coords = ForceField().bind(structure), several(structure, 1)[0]
    with torch.no_grad():
        benchmark(system, coords)


def bench_energy_and_gradient(benchmark, structure):
    benchmark(energy_and_gradient, ForceField().bind(structure), several(structure, 1)[0])


def bench_a_fresh_neighbour_list(benchmark, structure):
    system, coords = ForceField().bind(structure), several(structure, 1)[0]

    def fresh():
        system.forget()
        return system(coords)

    benchmark(fresh)


@pytest.mark.parametrize("conformations", [16, pytest.param(64, marks=pytest.mark.slow)])
def bench_a_batch_with_gradient(benchmark, structure, conformations):
    benchmark(energy_and_gradient, ForceField().bind(structure), several(structure, conformations))


def bench_a_batch_of_unlike_conformations(benchmark, structure):
    """Each time with lists of neighbours of their own, as when a folder of models is scored."""
    system, coords = ForceField().bind(structure), several(structure, 16)

    def unlike():
        system.forget()
        return energy_and_gradient(system, coords)

    benchmark(unlike)
