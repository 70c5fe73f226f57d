"""Clashes: what is one, what is not, and that none is counted twice."""

import numpy as np
import pytest
import torch

from motet import io
from motet.structure.hydrogens import with_hydrogens
from motet.validation import clashes
from motet.validation.contact_atoms import contact_atoms


@pytest.fixture(scope="module")
def trp_cage(examples):
    return with_hydrogens(io.read(examples / "1l2y.pdb").model(0).without_hydrogens())


def two_of(structure, shift):
    """A structure and its copy somewhere else."""
    other = structure.with_coords(structure.coords + torch.as_tensor(shift))
    return structure.concatenated(other)


def found(structure):
    return clashes(structure.topology, structure.coords.reshape(-1, structure.n_atoms, 3))


def label(structure, clash):
    return {structure.topology.atom_label(int(atom)) for atom in clash}


def test_a_sound_structure_has_none(trp_cage):
    result = found(trp_cage)
    assert len(result.overlap) == 0
    assert result.score.tolist() == [0.0]


def test_two_copies_far_apart_have_none_and_on_top_of_each_other_many(trp_cage):
    assert found(two_of(trp_cage, [100.0, 0, 0])).score.tolist() == [0.0]
    near = found(two_of(trp_cage, [1.0, 0, 0]))
    assert near.score.item() > 300
    assert near.score.item() == pytest.approx(1000 * len(near.overlap) / (2 * trp_cage.n_atoms))


def test_each_pair_stands_once_and_overlaps_by_what_counts(trp_cage):
    result = found(two_of(trp_cage, [3.0, 0, 0]))
    pairs = {tuple(sorted(pair)) for pair in result.atoms.tolist()}
    assert len(pairs) == len(result.atoms) > 0
    assert (result.overlap >= 0.4).all()


def approach(examples, keep, direction, gap):
    """A residue and its point reflection, so that two equal atoms face each other, `gap` Å apart."""
    one = with_hydrogens(io.read(examples / "1l2y.pdb").model(0).without_hydrogens())
    atom = int(np.flatnonzero((one.topology.atom_names == keep[1]) & (one.topology.residue_of_atom == keep[0]))[0])
    held = int(
        np.flatnonzero((one.topology.atom_names == direction) & (one.topology.residue_of_atom == keep[0]))[0]
    )
    outward = torch.nn.functional.normalize(one.coords[atom] - one.coords[held], dim=0)
    alone = one.subset(one.topology.residue_of_atom == keep[0])
    place = one.coords[atom]
    turned = 2 * (place + outward * gap / 2) - one.coords  # the point reflection keeps all distances
    second = one.with_coords(turned).subset(one.topology.residue_of_atom == keep[0])
    return alone.concatenated(second)


def test_hydrogens_that_meet_head_on_clash_from_their_radii_on(examples):
    """Two aliphatic hydrogens of 1.22 Å clash when their clouds, 0.12 Å short of the nuclei, are 2.04 Å apart."""
    meets = {gap: found(approach(examples, (3, "HD11"), "CD1", gap)) for gap in (2.0, 1.7, 1.6)}  # ILE4
    assert len(meets[2.0].overlap) == 0
    assert len(meets[1.6].overlap) >= 1
    names = {frozenset(meets[1.6].topology.atom_names[pair].tolist()) for pair in meets[1.6].atoms.numpy()}
    assert frozenset({"HD11"}) in names


def test_a_hydrogen_bond_is_none(shared):
    """Ubiquitin is full of them: not one of its backbone N-H···O=C pairs is called a clash."""
    whole = with_hydrogens(io.read(shared / "structures" / "1ubq.pdb").model(0).without_hydrogens())
    result = found(whole)
    names = whole.topology.atom_names[result.atoms.numpy()]
    assert not [pair for pair in names.tolist() if set(pair) == {"H", "O"}]
    assert 2 < result.score.item() < 15


def test_bonded_atoms_never_clash_however_long_the_hydrogens_bonds_are(trp_cage):
    atoms = contact_atoms(trp_cage.topology)
    bond = trp_cage.coords - trp_cage.coords[torch.from_numpy(atoms.holder)]
    longer = trp_cage.with_coords(trp_cage.coords + 0.3 * bond)
    assert found(longer).score.tolist() == found(trp_cage).score.tolist()


def test_waters_do_not_count_as_atoms_nor_clash_with_each_other(shared):
    structure = io.read(shared / "structures" / "1aki.pdb").model(0).without_hydrogens()
    whole = with_hydrogens(structure)
    result = found(whole)
    water = (whole.topology.residue_kinds == "water")[whole.topology.residue_of_atom]
    assert result.score.item() == pytest.approx(1000 * len(result.overlap) / (~water).sum())
    assert not water[result.atoms.numpy()].all(-1).any()


def test_a_batch_is_its_members(trp_cage):
    pair = two_of(trp_cage, [3.0, 0, 0])
    far = two_of(trp_cage, [6.0, 0, 0])
    both = clashes(pair.topology, torch.stack((pair.coords, far.coords)))
    assert both.score.tolist() == pytest.approx([found(pair).score.item(), found(far).score.item()])
    assert torch.equal(both.atoms[both.model == 0], found(pair).atoms)


def test_radii_are_the_table_s(trp_cage):
    atoms, topology = contact_atoms(trp_cage.topology), trp_cage.topology
    radius = dict(zip(topology.atom_names.tolist(), atoms.radii.tolist(), strict=True))
    assert radius["HZ2"] == 1.05  # on tryptophan's ring
    assert radius["H"] == 1.05
    assert radius["HA"] == 1.22
    assert radius["C"] == 1.65
    assert radius["CA"] == 1.70
    assert (atoms.cloud[torch.from_numpy(~topology.is_hydrogen)] == 0).all()


def test_a_single_atom_has_no_clash(trp_cage):
    keep = np.zeros(trp_cage.n_atoms, dtype=bool)
    keep[0] = True
    assert found(trp_cage.subset(keep)).score.tolist() == [0.0]
