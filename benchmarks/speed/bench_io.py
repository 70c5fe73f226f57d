"""Reading and writing: 29,640 atoms with topology and bonds, the goal being 0.3 s for mmCIF on one core."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from motet import io
from motet.structure import Structure

ATOMS = 29_640
ROOT = Path(__file__).parents[2]


def replicated(one: Structure, atoms: int) -> Structure:
    """Copies of a structure side by side, a chain each, cut at a number of atoms."""
    topology, copies = one.topology, -(-atoms // one.n_atoms)
    repeat = {
        name: np.tile(getattr(topology, name), copies) for name in ("atom_names", "elements", "formal_charges")
    }
    residues = ("residue_names", "residue_numbers", "insertion_codes", "residue_kinds")
    repeat |= {name: np.tile(getattr(topology, name), copies) for name in residues}
    many = replace(
        topology,
        **repeat,
        residue_of_atom=(topology.residue_of_atom + topology.n_residues * np.arange(copies)[:, None]).ravel(),
        chain_of_residue=np.repeat(np.arange(copies), topology.n_residues),
        chain_ids=np.array([f"C{k}" for k in range(copies)]),
        bonds=(topology.bonds + topology.n_atoms * np.arange(copies)[:, None, None]).reshape(-1, 2),
    )
    grid = torch.cartesian_prod(*[torch.arange(8.0)] * 3)[:copies, None]
    coords = (one.coords + 60 * grid).reshape(-1, 3)
    whole = Structure(many, coords, one.b_factors.repeat(copies), one.occupancies.repeat(copies))
    return whole.subset(np.arange(whole.n_atoms) < atoms)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    one = io.read(ROOT / "examples" / "1l2y.pdb").model(0)
    structure = replicated(one, ATOMS)
    folder = tmp_path_factory.mktemp("bench")
    io.write(structure, folder / "big.cif")
    return structure, folder


def bench_reading_mmcif(benchmark, big):
    structure, folder = big
    assert benchmark(io.read, folder / "big.cif").n_atoms == structure.n_atoms


def bench_writing_mmcif(benchmark, big):
    structure, folder = big
    benchmark(io.write, structure, folder / "copy.cif", overwrite=True)
    assert (folder / "copy.cif").read_bytes() == (folder / "big.cif").read_bytes()


def bench_reading_pdb_with_models(benchmark):
    path = ROOT / "examples" / "1l2y.pdb"
    benchmark(io.read, path)


def bench_xtc(benchmark, big):
    structure, folder = big
    frames = structure.coords.expand(20, -1, -1)
    io.write_trajectory(folder / "run.xtc", frames, overwrite=True)
    assert len(benchmark(io.read_trajectory, folder / "run.xtc", structure.topology)) == 20
