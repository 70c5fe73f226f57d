"""Small proteins, and ways to bend them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from motet.io import read
from motet.structure import Structure

SPECIMENS = Path(__file__).parent / "specimens"
BendTo = Callable[[Structure, dict[int, tuple[float, float]]], Structure]


@pytest.fixture(scope="session")
def trp_cage(examples) -> Structure:
    """1l2y, first model, heavy atoms, in float64."""
    structure = read(examples / "1l2y.pdb")
    heavy = structure.subset(~structure.topology.is_hydrogen)
    return heavy.with_coords(heavy.model(0).coords.double())


@pytest.fixture(scope="session")
def loop(trp_cage) -> Structure:
    """KDGGPSSGRP: a salt bridge, hydroxyls, prolines and glycines in 66 atoms."""
    return trp_cage.residues(8, 17)


@pytest.fixture(scope="session")
def helix(trp_cage) -> Structure:
    """NLYIQWLKD."""
    return trp_cage.residues(1, 9)


@pytest.fixture(scope="session")
def aromatic(trp_cage) -> Structure:
    """YIQWLK: Tyr 3 and Trp 6 on one side of a helix, Lys 8."""
    return trp_cage.residues(3, 8)


@pytest.fixture(scope="session")
def iron() -> Structure:
    """Fe and the four cysteines that hold it, in float64."""
    return _specimen("iron")


@pytest.fixture(scope="session")
def disulfide() -> Structure:
    """Two pieces of three residues and the bond between them, in float64."""
    return _specimen("disulfide")


@pytest.fixture(scope="session")
def open_disulfide(disulfide) -> Structure:
    """The same, pulled 0.6 Å apart, with the bond left out of the topology."""
    left, right = disulfide.residues(5, 7), disulfide.residues(126, 128)
    place = {name: torch.from_numpy(one.mask("name SG")) for name, one in (("left", left), ("right", right))}
    along = (right.coords[place["right"]] - left.coords[place["left"]])[0]
    return left.concatenated(right.with_coords(right.coords + 0.6 * along / along.norm()))


def _specimen(name: str) -> Structure:
    structure = read(SPECIMENS / f"{name}.pdb")
    return structure.with_coords(structure.model(0).coords.double())


@pytest.fixture(scope="session")
def bend() -> BendTo:
    """Turns φ and ψ of residues by given angles in rad."""
    return bent


def bent(structure: Structure, turns: dict[int, tuple[float, float]]) -> Structure:
    topology, points = structure.topology, structure.coords.numpy().copy()
    residues, names = topology.residue_of_atom, topology.atom_names
    place = {name: topology.atom_index(name) for name in ("N", "CA", "C")}
    for residue, (phi, psi) in turns.items():
        n, ca, c = (place[name][residue] for name in ("N", "CA", "C"))
        behind = residues > residue
        own = residues == residue
        after_phi = behind | (own & ~np.isin(names, ("N", "CA")))
        after_psi = behind | (own & np.isin(names, ("O", "OXT")))
        for start, end, moved, angle in ((n, ca, after_phi, phi), (ca, c, after_psi, psi)):
            points[moved] = _turned(points[moved], points[start], points[end], angle)
    return structure.with_coords(torch.from_numpy(points))


def _turned(points, start, end, angle):
    x, y, z = (end - start) / np.linalg.norm(end - start)
    spin = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64) * angle
    return (points - end) @ torch.linalg.matrix_exp(spin).numpy().T + end
