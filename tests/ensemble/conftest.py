"""A system simple enough to know the answer of: independent springs."""

import numpy as np
import pytest
import torch

from motet.ensemble import Ensemble, Provenance
from motet.structure import Structure, Topology

from .springs import Springs


def chain_of_carbons(residues):
    """A chain of glycines that are their Cα alone."""
    index = np.arange(residues)
    return Topology(
        atom_names=np.full(residues, "CA"),
        elements=np.full(residues, "C"),
        formal_charges=np.zeros(residues, dtype=np.int64),
        residue_of_atom=index,
        residue_names=np.full(residues, "GLY"),
        residue_numbers=index + 1,
        insertion_codes=np.full(residues, ""),
        residue_kinds=np.full(residues, "protein"),
        chain_of_residue=np.zeros(residues, dtype=np.int64),
        chain_ids=np.array(["A"]),
        bonds=np.zeros((0, 2), dtype=np.int64),
    )


@pytest.fixture
def beads():
    """Twelve beads on a helix."""
    turn = torch.arange(12, dtype=torch.float64) * 1.7
    coords = torch.stack((2.3 * turn.cos(), 2.3 * turn.sin(), 0.9 * turn), dim=-1)
    topology = chain_of_carbons(12)
    return Structure(topology, coords, torch.zeros(12), torch.ones(12), name="beads")


@pytest.fixture
def springs(beads):
    return Springs(beads.coords)


@pytest.fixture
def springs_with_obstacles(beads):
    return Springs(beads.coords, fixed=3)


def ensemble_of(beads, coords, weights=None, replicas=4):
    """An ensemble of beads with the given coordinates, drawn round-robin by `replicas` chains."""
    count = len(coords)
    weights = torch.full((count,), 1.0 / count) if weights is None else weights
    return Ensemble(
        beads.with_coords(coords),
        weights=weights,
        energy_terms=("spring",),
        energies=torch.zeros(count, 1),
        replica=torch.arange(count) % replicas,
        step=torch.arange(count) // replicas * 10,
        provenance=Provenance("langevin", 300.0, 0, "sampled", {"timestep": 2.0}),
    )


@pytest.fixture
def make_ensemble(beads):
    """A function from coordinates (and weights) to an ensemble."""
    return lambda coords, weights=None, replicas=4: ensemble_of(beads, coords, weights, replicas)


@pytest.fixture
def two_wells(beads):
    """200 conformations: three quarters near the helix, a quarter with its upper half bent away."""
    random = torch.Generator().manual_seed(1)
    coords = beads.coords.expand(200, -1, -1) + 0.15 * torch.randn(
        200, 12, 3, generator=random, dtype=torch.float64
    )
    bent = torch.rand(200, generator=random) < 0.25
    coords[bent, 6:] += torch.tensor([4.0, 0.0, 0.0], dtype=torch.float64)
    return coords, bent
