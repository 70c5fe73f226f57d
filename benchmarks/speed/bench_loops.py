"""Speed of loop closure on one thread; problems are the windows of three residues of Trp-cage, slightly moved."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motet.geometry.loops import close_tripeptide, list_closures, tripeptide_internals
from motet.io import read

EXAMPLE = Path(__file__).parents[2] / "examples" / "1l2y.pdb"


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def problems():
    """10,000 problems with a solution near the windows of a structure."""
    one = read(EXAMPLE)
    trace = np.stack([one.topology.atom_index(name) for name in ("N", "CA", "C")], -1)
    windows = np.stack([trace[k : k + 3].ravel() for k in range(len(trace) - 2)])
    atoms = one.coords.double().reshape(-1, one.n_atoms, 3)[:, torch.from_numpy(windows)].flatten(0, 1)
    atoms = atoms.repeat(-(-10_000 // len(atoms)), 1, 1)[:10_000]
    random = torch.Generator().manual_seed(1)
    return tripeptide_internals(atoms + 0.02 * torch.randn(atoms.shape, generator=random, dtype=torch.float64))


def bench_10000_tripeptide_closures(benchmark, problems):
    assert benchmark(close_tripeptide, *problems).exists.any(-1).all()


def bench_10000_tripeptide_closures_as_a_list(benchmark, problems):
    assert len(benchmark(list_closures, *problems).problem) >= 20_000
