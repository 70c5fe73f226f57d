"""Speed of floor 2 on one thread; adenylate kinase has 214 residues and 1,656 heavy atoms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from motet.geometry import (
    InternalCoordinates,
    Tree,
    backbone_from_torsions,
    lddt,
    neighbour_pairs,
    pairwise_rmsd,
    rmsd,
    superposed_to_mean,
    tm_score,
)
from motet.geometry.cells import cell_pairs
from motet.io import read

EXAMPLE = Path(__file__).parents[2] / "examples" / "1l2y.pdb"


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def repeated(topology, copies):
    """One chain of so many copies, each bonded to the next."""
    atoms, residues = topology.n_atoms, topology.n_residues
    shift = np.arange(copies)
    last_c, first_n = topology.atom_index("C")[-1], topology.atom_index("N")[0]
    inner = (topology.bonds[None] + atoms * shift[:, None, None]).reshape(-1, 2)
    links = np.stack((last_c + atoms * shift[:-1], first_n + atoms * shift[1:]), axis=1)
    along = {
        name: np.tile(getattr(topology, name), copies)
        for name in (
            "atom_names",
            "elements",
            "formal_charges",
            "residue_names",
            "insertion_codes",
            "residue_kinds",
        )
    }
    return replace(
        topology,
        **along,
        residue_of_atom=(topology.residue_of_atom + residues * shift[:, None]).ravel(),
        residue_numbers=np.arange(1, copies * residues + 1),
        chain_of_residue=np.zeros(copies * residues, dtype=np.int64),
        bonds=np.sort(np.concatenate((inner, links)), axis=1),
    )


def protein(copies):
    """Heavy atoms of 1l2y, again and again along one chain, and where they are."""
    one = read(EXAMPLE).select("heavy").to(torch.float64)
    topology = repeated(one.topology, copies)
    step = torch.tensor([20.0, 5.0, 0.0], dtype=torch.float64)
    coords = one.coords.reshape(-1, 3) + step * torch.arange(copies, dtype=torch.float64)[:, None, None]
    return topology, coords.flatten(0, 1)


def gas(atoms, generator, density=0.045):
    """Points as dense as the heavy atoms of a protein."""
    side = (atoms / density) ** (1 / 3)
    return side * torch.rand(atoms, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def draw():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def bench_backbone_of_1000_residues_forward_and_backward(benchmark, draw, dtype):
    torsions = (torch.randn(2, 1000, generator=draw, dtype=dtype) * 0.3 - 1).requires_grad_()
    weight = torch.randn(1000, 4, 3, generator=draw, dtype=dtype)

    def there_and_back():
        return torch.autograd.grad((backbone_from_torsions(*torsions) * weight).sum(), torsions)[0]

    assert benchmark(there_and_back).isfinite().all()


def bench_protein_of_1000_residues_forward_and_backward(benchmark, draw):
    topology, coords = protein(50)
    internal = InternalCoordinates.from_cartesian(Tree.of(topology), coords)
    torsions = internal.torsions.requires_grad_()
    weight = torch.randn(coords.shape, generator=draw, dtype=torch.float64)

    def there_and_back():
        placed = replace(internal, torsions=torsions).to_cartesian()
        return torch.autograd.grad((placed * weight).sum(), torsions)[0]

    assert benchmark(there_and_back).isfinite().all()


def bench_protein_of_1000_residues_from_cartesian(benchmark):
    topology, coords = protein(50)
    tree = Tree.of(topology)
    assert benchmark(InternalCoordinates.from_cartesian, tree, coords).torsions.isfinite().all()


def bench_tree_of_1000_residues(benchmark):
    topology, _ = protein(50)
    assert benchmark(Tree.of, topology).phi[1:].min() >= 0


@pytest.mark.parametrize("replicas", [1, 16])
def bench_neighbours_of_1656_atoms_at_10_angstrom(benchmark, draw, replicas):
    points = torch.cat([gas(1656, draw) for _ in range(replicas)])
    group = torch.arange(replicas).repeat_interleave(1656)
    assert benchmark(neighbour_pairs, points, 10.0, group).shape[1] > 0


@pytest.mark.parametrize("search", [neighbour_pairs, cell_pairs])
def bench_neighbours_of_20000_atoms_at_10_angstrom(benchmark, draw, search):
    points, group = gas(20_000, draw), torch.zeros(20_000, dtype=torch.int64)
    assert len(benchmark(search, points, 10.0, group)) == 2


@pytest.fixture
def ensemble(draw):
    torsions = torch.randn(2, 214, generator=draw, dtype=torch.float64) * 0.3 - 1
    shape = backbone_from_torsions(*torsions)[:, 1]
    return shape + torch.randn(1000, 214, 3, generator=draw, dtype=torch.float64)


def bench_pairwise_rmsd_of_1000_conformations(benchmark, ensemble):
    assert benchmark(pairwise_rmsd, ensemble).isfinite().all()


def bench_rmsd_of_1000_conformations_with_gradient(benchmark, ensemble):
    moving = ensemble.clone().requires_grad_()
    gradient = benchmark(lambda: torch.autograd.grad(rmsd(moving, ensemble[0]).sum(), moving)[0])
    assert gradient.isfinite().all()


def bench_superposition_of_1000_conformations_on_their_mean(benchmark, ensemble):
    assert benchmark(superposed_to_mean, ensemble)[1].isfinite().all()


def bench_tm_score_of_10_conformations(benchmark, ensemble):
    assert benchmark(tm_score, ensemble[:10], ensemble[0]).isfinite().all()


def bench_lddt_of_100_conformations(benchmark, ensemble):
    assert benchmark(lddt, ensemble[:100], ensemble[0]).isfinite().all()
