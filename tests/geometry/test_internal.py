import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from motet.errors import ConfigError, TopologyMismatchError
from motet.geometry import InternalCoordinates, Tree, dihedral, superposed
from motet.geometry.placement import place
from motet.io import read


@pytest.fixture(scope="module")
def tree(trp_cage):
    return Tree.of(trp_cage.topology)


@pytest.fixture(scope="module")
def internal(tree, trp_cage):
    return InternalCoordinates.from_cartesian(tree, trp_cage.coords)


def random_tree(draw, atoms=30, roots=3):
    """Any forest: each atom hangs on some atom before it."""
    parent = [-1 if atom < roots else int(torch.randint(0, atom, (), generator=draw)) for atom in range(atoms)]
    return Tree.from_parents(parent)


@pytest.mark.parametrize("name", ["1aki_H.pdb", "4ake_A.pdb", "5umr.pdb"])
def test_atoms_come_back_in_place(name, shared):
    structure = read(shared / "structures" / name).to(torch.float64)
    tree = Tree.of(structure.topology)
    internal = InternalCoordinates.from_cartesian(tree, structure.coords)
    torch.testing.assert_close(internal.to_cartesian(), structure.coords, atol=1e-9, rtol=0)
    single = InternalCoordinates.from_cartesian(tree, structure.coords.float())
    assert single.to_cartesian().dtype == torch.float32
    torch.testing.assert_close(single.to_cartesian().double(), structure.coords, atol=1e-3, rtol=0)


def test_internal_coordinates_come_back(internal, tree, draw):
    def moved(slots, scale):
        changed = slots + scale * torch.randn(slots.shape, generator=draw, dtype=torch.float64)
        return torch.where(tree.parent < tree.n_atoms, changed, slots)

    lengths, angles, torsions = (
        moved(internal.lengths, 0.02),
        moved(internal.angles, 0.05),
        moved(internal.torsions, 1.0),
    )
    start = InternalCoordinates(tree, lengths, angles, torsions, internal.roots)
    again = InternalCoordinates.from_cartesian(tree, start.to_cartesian())
    # the torsions above a root's grandchildren belong to the frame, which the atoms themselves define
    inside = tree.great_grandparent < tree.n_atoms
    torch.testing.assert_close(again.lengths, lengths, atol=1e-9, rtol=0)
    deep = tree.grandparent < tree.n_atoms
    torch.testing.assert_close(again.angles[deep], angles[deep], atol=1e-9, rtol=0)
    turned = torch.remainder(again.torsions - torsions + math.pi, 2 * math.pi) - math.pi
    torch.testing.assert_close(turned[inside], torch.zeros_like(turned[inside]), atol=1e-9, rtol=0)


def test_random_forests_come_back(draw):
    for _ in range(10):
        tree, coords = random_tree(draw), torch.randn(4, 30, 3, generator=draw, dtype=torch.float64)
        back = InternalCoordinates.from_cartesian(tree, coords).to_cartesian()
        torch.testing.assert_close(back, coords, atol=1e-9, rtol=0)


def test_rigid_motion_moves_the_roots_alone(tree, internal, trp_cage, spin):
    moved = InternalCoordinates.from_cartesian(tree, trp_cage.coords @ spin.T + 7)
    for slot in ("lengths", "angles", "torsions"):
        torch.testing.assert_close(getattr(moved, slot), getattr(internal, slot))
    torch.testing.assert_close(moved.roots.rotation, spin @ internal.roots.rotation)


def test_a_batch_equals_a_loop(tree, trp_cage, draw):
    coords = trp_cage.coords + 0.1 * torch.randn(3, 1, *trp_cage.coords.shape, generator=draw, dtype=torch.float64)
    both = InternalCoordinates.from_cartesian(tree, coords)
    assert both.torsions.shape == (3, 1, tree.n_atoms)
    for index in range(3):
        one = InternalCoordinates.from_cartesian(tree, coords[index])
        torch.testing.assert_close(both.torsions[index], one.torsions)
        torch.testing.assert_close(both.to_cartesian()[index], one.to_cartesian())


def test_gradients_agree_with_finite_differences(draw):
    tree = random_tree(draw, atoms=12, roots=2)
    coords = torch.randn(2, 12, 3, generator=draw, dtype=torch.float64)
    start = InternalCoordinates.from_cartesian(tree, coords)
    inputs = (start.lengths, start.angles, start.torsions, start.roots.rotation, start.roots.translation)
    inputs = [slot.detach().clone().requires_grad_() for slot in inputs]
    assert gradcheck(lambda *slots: place(tree, *slots), inputs)

    def there(x):
        slots = InternalCoordinates.from_cartesian(tree, x)
        return slots.lengths, slots.angles, slots.torsions, slots.roots.rotation, slots.roots.translation

    assert gradcheck(there, coords.requires_grad_())


def test_there_and_back_has_the_gradient_of_staying(tree, trp_cage, draw):
    coords = trp_cage.coords.clone().requires_grad_()
    weight = torch.randn(coords.shape, generator=draw, dtype=torch.float64)
    back = InternalCoordinates.from_cartesian(tree, coords).to_cartesian()
    torch.testing.assert_close(torch.autograd.grad((back * weight).sum(), coords)[0], weight)


def test_single_precision_gradients_are_close(tree, internal):
    def gradient(dtype):
        torsions = internal.torsions.to(dtype).requires_grad_()
        roots = (internal.roots.rotation.to(dtype), internal.roots.translation.to(dtype))
        coords = place(tree, internal.lengths.to(dtype), internal.angles.to(dtype), torsions, *roots)
        return torch.autograd.grad(coords[..., -20:, :].sin().sum(), torsions)[0].double()

    expected = gradient(torch.float64)
    torch.testing.assert_close(gradient(torch.float32), expected, atol=1e-3 * expected.abs().max().item(), rtol=0)


def test_named_torsions_are_those_of_the_atoms(tree, internal, trp_cage):
    topology = trp_cage.topology
    whole = topology.atom_index
    for residue in range(1, topology.n_residues - 1):
        quartet = [whole("C")[residue - 1], *(whole(name)[residue] for name in ("N", "CA", "C"))]
        expected = dihedral(*trp_cage.coords[..., quartet, :].unbind(-2))
        torch.testing.assert_close(internal.torsions[..., tree.phi[residue]], expected)
    names = [topology.atom_names[atom] for atom in tree.chi[0].tolist()]  # ASN 1
    assert names[:2] == ["CG", "OD1"]
    quartet = [whole(name)[0] for name in ("N", "CA", "CB", "CG")]
    expected = dihedral(*trp_cage.coords[..., quartet, :].unbind(-2))
    torch.testing.assert_close(internal.torsions[..., tree.chi[0, 0]], expected)


def test_every_named_torsion_leads(trp_cage, shared):
    for topology in (trp_cage.topology, read(shared / "structures" / "1aki_H.pdb").topology):
        tree = Tree.of(topology)
        named = torch.cat((tree.phi, tree.psi, tree.omega, tree.chi.flatten()))
        named = named[named >= 0]
        assert torch.equal(tree.leader[named], named)
        links = topology.follows.sum()
        assert [(index >= 0).sum().item() for index in (tree.phi, tree.psi, tree.omega)] == [links] * 3
        arginine = torch.from_numpy(topology.residue_names == "ARG")
        assert arginine.any()
        assert (tree.chi[arginine] >= 0).all()


def test_a_new_phi_keeps_all_bonds_angles_and_the_side_chain(tree, internal, trp_cage):
    residue = 8
    turned = internal.with_torsions(tree.phi[[residue]], torch.tensor([1.0], dtype=torch.float64))
    coords = turned.to_cartesian()
    i, j = torch.from_numpy(trp_cage.topology.bonds.copy()).T
    before = (trp_cage.coords[..., i, :] - trp_cage.coords[..., j, :]).norm(dim=-1)
    after = (coords[..., i, :] - coords[..., j, :]).norm(dim=-1)
    whole = torch.from_numpy(trp_cage.topology.residue_names[trp_cage.topology.residue_of_atom] != "PRO")[i]
    torch.testing.assert_close(after[..., whole], before[..., whole])
    beyond = torch.from_numpy(
        (trp_cage.topology.residue_of_atom >= residue) & ~np.isin(trp_cage.topology.atom_names, ["N", "H"])
    )
    back = superposed(coords[..., beyond, :], trp_cage.coords[..., beyond, :])
    torch.testing.assert_close(back, trp_cage.coords[..., beyond, :])
    assert not torch.allclose(coords, trp_cage.coords, atol=0.5)


def test_setting_torsions_makes_a_batch(tree, internal):
    exists = tree.psi[tree.psi >= 0]
    values = torch.linspace(-3, 3, 5 * len(exists), dtype=torch.float64).reshape(5, -1)
    many = internal.with_torsions(exists, values)
    coords = many.to_cartesian()
    assert coords.shape[0] == 5
    again = InternalCoordinates.from_cartesian(tree, coords)
    torch.testing.assert_close(again.torsions[..., exists].reshape(5, -1), values)


def test_a_torsion_that_does_not_exist_cannot_be_set(tree, internal):
    with pytest.raises(ConfigError, match="does not exist"):
        internal.with_torsions(tree.phi[:1], torch.zeros(1, dtype=torch.float64))


def test_another_number_of_atoms_is_refused(tree):
    with pytest.raises(TopologyMismatchError):
        InternalCoordinates.from_cartesian(tree, torch.zeros(3, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", ["point", "line", "pairs"])
def test_degenerate_atoms_are_finite(shape, dtype):
    tree = Tree.from_parents([-1, 0, 1, 2, 3, 3, -1])
    line = torch.arange(7, dtype=dtype)[:, None] * torch.tensor([1.0, 2, 3], dtype=dtype)
    coords = {"point": torch.ones_like(line), "line": line, "pairs": (line / 2).floor()}[shape].requires_grad_()
    internal = InternalCoordinates.from_cartesian(tree, coords)
    back = internal.to_cartesian()
    assert back.isfinite().all()
    assert torch.autograd.grad(back.square().sum(), coords)[0].isfinite().all()
    if shape == "line":
        torch.testing.assert_close(back[:5], coords[:5])


def test_no_atoms_make_an_empty_tree():
    tree = Tree.from_parents([])
    coords = torch.zeros(2, 0, 3, requires_grad=True)
    back = InternalCoordinates.from_cartesian(tree, coords).to_cartesian()
    assert back.shape == (2, 0, 3)


def test_waters_and_chains_are_trees_of_their_own(shared):
    structure = read(shared / "structures" / "1aki_H.pdb")
    topology, tree = structure.topology, Tree.of(structure.topology)
    residue = topology.residue_of_atom[tree.roots.numpy()]
    assert sorted(residue[topology.residue_kinds[residue] == "protein"]) == [0], "disulfides make no new trees"
    assert topology.atom_names[tree.roots[0]] == "N"
    parent = tree.parent.numpy()
    inner = np.flatnonzero(parent < tree.n_atoms)
    pairs = {tuple(sorted(pair)) for pair in zip(inner.tolist(), parent[inner].tolist(), strict=True)}
    bonds = {tuple(bond) for bond in topology.bonds.tolist()}
    assert pairs <= bonds
    cysteines = {pair for pair in bonds - pairs if {topology.atom_names[atom] for atom in pair} == {"SG"}}
    assert len(cysteines) == 4


def test_the_same_tree_whatever_the_order_of_ancestors():
    long = Tree.from_parents([-1, *range(999)])
    assert len(long.ancestors) == 10
    assert long.last[0] == 1000
