import math
from itertools import pairwise

import gemmi
import numpy as np
import pytest
import torch

from motet.errors import ConfigError
from motet.geometry import angle, backbone_from_torsions, backbone_torsions, dihedral, distance
from motet.io import read


def test_torsions_are_gemmis(shared):
    path = shared / "structures" / "4ake_A.pdb"
    structure = read(path).to(torch.float64)
    found = backbone_torsions(structure.topology, structure.coords)
    atoms = [{atom.name: atom.pos for atom in residue} for residue in gemmi.read_structure(str(path))[0][0]]
    for index, (one, after) in enumerate(pairwise(atoms)):
        psi = gemmi.calculate_dihedral(one["N"], one["CA"], one["C"], after["N"])
        omega = gemmi.calculate_dihedral(one["CA"], one["C"], after["N"], after["CA"])
        phi = gemmi.calculate_dihedral(one["C"], after["N"], after["CA"], after["C"])
        here = found.psi[..., index].item(), found.omega[..., index].item(), found.phi[..., index + 1].item()
        assert here == pytest.approx((psi, omega, phi), abs=1e-5)
    count = len(atoms)
    assert found.exists.sum(0).tolist() == [count - 1] * 3


def test_there_is_no_torsion_across_a_break(trp_cage):
    topology = trp_cage.topology
    broken = trp_cage.subset(topology.residue_of_atom != 9)
    exists = backbone_torsions(broken.topology, broken.coords).exists
    assert exists[8].tolist() == [True, False, False]
    assert exists[9].tolist() == [False, True, True]


def test_no_residues_no_torsions(trp_cage):
    nothing = trp_cage.subset(np.zeros(trp_cage.n_atoms, dtype=bool))
    assert backbone_torsions(nothing.topology, nothing.coords).phi.shape[-1] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_chain_has_the_torsions_it_was_built_from(draw, dtype):
    wanted = (torch.rand(3, 2, 50, generator=draw, dtype=dtype) * 6 - 3).unbind(0)
    n, ca, c, o = backbone_from_torsions(*wanted).unbind(-2)
    after = slice(1, None), slice(None, -1)
    found = (
        dihedral(c[:, after[1]], n[:, after[0]], ca[:, after[0]], c[:, after[0]]),
        dihedral(n[:, after[1]], ca[:, after[1]], c[:, after[1]], n[:, after[0]]),
        dihedral(ca[:, after[1]], c[:, after[1]], n[:, after[0]], ca[:, after[0]]),
    )
    expected = wanted[0][:, 1:], wanted[1][:, :-1], wanted[2][:, :-1]
    tolerance = 1e-3 if dtype == torch.float32 else 1e-10
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=tolerance, rtol=0)
    planar = dihedral(o[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:]).abs()
    torch.testing.assert_close(planar, torch.full_like(planar, math.pi), atol=tolerance, rtol=0)
    terminal = dihedral(n[:, -1], ca[:, -1], c[:, -1], o[:, -1])
    opposite = torch.remainder(terminal - wanted[1][:, -1], 2 * math.pi)
    torch.testing.assert_close(opposite, torch.full_like(opposite, math.pi), atol=tolerance, rtol=0)


def test_bonds_and_angles_are_ideal():
    phi = torch.full((3,), -1.0, dtype=torch.float64)
    n, ca, c, o = backbone_from_torsions(phi, phi, names=["ALA", "GLY", "SER"]).unbind(-2)
    assert distance(n, ca).tolist() == pytest.approx([1.459, 1.456, 1.459])
    assert distance(c[:-1], n[1:]).tolist() == pytest.approx([1.326, 1.336])
    assert angle(n, ca, c).rad2deg().tolist() == pytest.approx([111.0, 113.1, 111.0])
    assert angle(c[:-1], n[1:], ca[1:]).rad2deg().tolist() == pytest.approx([122.3, 121.7])
    assert distance(c, o).tolist() == pytest.approx([1.229, 1.232, 1.229])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_short_chains(count):
    assert backbone_from_torsions(torch.zeros(count), torch.zeros(count)).shape == (count, 4, 3)


def test_names_must_fit():
    with pytest.raises(ConfigError, match="2 residue names for 3"):
        backbone_from_torsions(torch.zeros(3), torch.zeros(3), names=["ALA", "GLY"])


def test_gradients_agree_with_finite_differences(draw):
    torsions = torch.randn(3, 4, generator=draw, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: backbone_from_torsions(*x), torsions)
