"""Missing heavy atoms: what is built, where, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.chem import RESIDUES, STANDARD
from motet.io import read
from motet.structure import Structure, Topology
from motet.structure.assembly import first_model
from motet.structure.ideals import ideal_length


def labels(structure):
    return [structure.topology.atom_label(atom) for atom in range(structure.n_atoms)]


def deviations(built, reference, left):
    """Distance of each rebuilt atom from the reference's atom of the same name, in Å."""
    there = {label: atom for atom, label in enumerate(labels(reference))}
    kept = set(labels(left))
    pairs = [(atom, there[label]) for atom, label in enumerate(labels(built)) if label not in kept]
    new, old = torch.tensor(pairs).unbind(-1)
    return (built.coords[new] - reference.coords[old]).norm(dim=-1)


def bond_lengths(structure):
    i, j = torch.from_numpy(structure.topology.bonds.copy()).unbind(-1)
    return (structure.coords[..., i, :] - structure.coords[..., j, :]).norm(dim=-1)


def lone_residue(name, keep, chain_end=False):
    """A residue of the dictionary, with some of its atoms."""
    known = RESIDUES[name]
    names = [atom.name for atom in known.atoms if atom.name in keep]
    coords = torch.from_numpy(known.ideal(tuple(names)))
    topology = Topology(
        atom_names=np.array(names),
        elements=np.array([known.by_name[atom].element for atom in names]),
        formal_charges=np.zeros(len(names), dtype=np.int64),
        residue_of_atom=np.zeros(len(names), dtype=np.int64),
        residue_names=np.array([name]),
        residue_numbers=np.array([1]),
        insertion_codes=np.array([""]),
        residue_kinds=np.array(["protein"]),
        chain_of_residue=np.array([0]),
        chain_ids=np.array(["A"]),
        bonds=np.zeros((0, 2), dtype=np.int64),
    )
    return Structure(topology, coords, torch.full((len(names),), 20.0), torch.ones(len(names)))


def test_a_complete_structure_is_returned_as_it_is(trp_cage):
    completed = trp_cage.completed()
    assert completed.topology == trp_cage.topology
    assert torch.equal(completed.coords, trp_cage.coords)
    assert completed.notes == trp_cage.notes


@pytest.mark.parametrize(
    ("left", "median"),
    [
        ("not name O", 0.15),
        ("not name N", 0.15),
        ("not name CA", 0.15),
        ("not name C", 0.15),
        ("not name CB", 0.2),
    ],
)
def test_backbone_atoms_return_to_where_they_were(trp_cage, lysozyme, left, median):
    for reference in (trp_cage, lysozyme):
        part = reference.select(left)
        built = part.completed()
        assert sorted(labels(built)) == sorted(labels(reference))
        assert deviations(built, reference, part).median() < median


def test_side_chains_on_a_backbone_are_whole_and_clash_little(lysozyme):
    part = lysozyme.select("backbone")
    built = part.completed()
    assert sorted(labels(built)) == sorted(labels(lysozyme))
    assert deviations(built, lysozyme, part).median() < 1.0
    internal = built.topology.residue_of_atom[built.topology.bonds]
    within = torch.from_numpy(internal[:, 0] == internal[:, 1])
    changes = (bond_lengths(built)[within] - bond_lengths(lysozyme).median()).abs()
    assert changes.max() < 0.45
    apart = torch.cdist(built.coords, built.coords)
    residue = torch.from_numpy(built.topology.residue_of_atom.copy())
    far = (residue[:, None] - residue).abs() > 1
    sulphur = torch.from_numpy(built.topology.elements == "S")
    far &= ~(sulphur[:, None] & sulphur)
    assert (apart[far] < 2.2).sum() <= 4


def test_present_atoms_never_move(lysozyme):
    part = lysozyme.select("not name CG CD CE")
    built = part.completed()
    there = {label: atom for atom, label in enumerate(labels(built))}
    index = torch.tensor([there[label] for label in labels(part)])
    assert torch.equal(built.coords[index], part.coords)


def test_an_atom_missing_in_the_middle_is_bonded_to_both_sides(lysozyme):
    built = lysozyme.select("not name CG").completed()
    middle = built.topology.atom_names == "CG"
    touching = torch.from_numpy(middle[built.topology.bonds].any(-1))
    ideal = bond_lengths(lysozyme)
    assert bond_lengths(built)[touching].max() < ideal.max() + 0.1
    assert bond_lengths(built)[touching].min() > 1.2


@pytest.mark.parametrize("name", [*STANDARD, "MSE", "SEP", "TPO", "PTR", "HYP", "CSO", "MLY", "LLP", "DAL", "SEC"])
def test_every_residue_grows_from_its_backbone_with_the_dictionary_s_bonds_and_hand(name):
    built = lone_residue(name, {"N", "CA", "C", "O"}).completed()
    assert set(built.topology.atom_names) == {*RESIDUES[name].heavy_names, "OXT"}
    known = RESIDUES[name]
    places = dict(zip(built.topology.atom_names.tolist(), built.coords, strict=True))
    for a, b, _ in known.bonds:
        if a in places and b in places:
            length = (places[a] - places[b]).norm()
            assert abs(length - ideal_length(name, a, b)) < 0.08, (a, b)
    if "CB" in places:
        n, c, cb = (places[atom] - places["CA"] for atom in ("N", "C", "CB"))
        ca, *ideal = known.ideal(("CA", "N", "C", "CB"))
        hand = torch.linalg.cross(n, c) @ cb
        assert hand.sign() == np.sign(np.linalg.det(np.stack([place - ca for place in ideal])))


def test_all_models_are_built_at_once_and_each_as_if_alone(trp_cage):
    part = trp_cage.select("backbone or residues 1-15")
    spin = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=part.coords.dtype)
    models = torch.stack([part.coords, part.coords @ torch.linalg.matrix_exp(spin) + 5, part.coords * 1.01])
    together = part.with_coords(models).completed()
    for model in range(3):
        alone = part.with_coords(models[model]).completed()
        torch.testing.assert_close(together.coords[model], alone.coords)


def test_building_turns_with_the_structure(trp_cage):
    part = trp_cage.select("backbone")
    spin = torch.linalg.matrix_exp(torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=part.coords.dtype))
    turned = part.with_coords(part.coords @ spin + 7).completed()
    torch.testing.assert_close(turned.coords, part.completed().coords @ spin + 7, rtol=0, atol=1e-3)


def test_the_end_of_a_chain_gets_an_oxt_and_a_break_does_not(trp_cage):
    broken = trp_cage.select("not residues 10-12 and not name OXT").completed()
    ends = broken.topology.residue_of_atom[broken.topology.atom_names == "OXT"]
    assert ends.tolist() == [broken.n_residues - 1]


def test_what_cannot_be_built_is_named_and_left_out(trp_cage):
    trace = trp_cage.select("name CA")
    completed = trace.completed()
    assert completed.n_atoms == trace.n_atoms
    (note,) = completed.notes[len(trace.notes) :]
    assert note.kind == "warning"
    assert "20 residues" in note.text
    assert "A:ASN1" in note.text


def test_what_was_built_is_named(trp_cage):
    built = trp_cage.select("not (residues 6 and sidechain)").completed()
    (note,) = built.notes[len(trp_cage.notes) :]
    assert note.kind == "repaired"
    assert "10 missing heavy atoms of 1 residue: A:TRP6" in note.text


def test_atoms_that_nobody_knows_are_kept():
    strange = lone_residue("ALA", {"N", "CA", "C", "O", "CB"})
    names = strange.topology.atom_names.copy()
    names[list(names).index("CB")] = "CQ"
    strange = replace(strange, topology=replace(strange.topology, atom_names=names))
    built = strange.completed()
    assert {"CQ", "CB", "OXT"} <= set(built.topology.atom_names)


def test_new_atoms_take_their_residue_s_b_factor(trp_cage):
    part = trp_cage.select("not (residues 6 and sidechain)")
    built = part.completed()
    new = (built.topology.residue_numbers == 6)[built.topology.residue_of_atom]
    expected = part.b_factors[
        torch.from_numpy((part.topology.residue_numbers == 6)[part.topology.residue_of_atom])
    ]
    torch.testing.assert_close(built.b_factors[torch.from_numpy(new)].mean(), expected.mean())


@pytest.mark.parametrize("scale", [0.0, 1e-9])
def test_atoms_at_one_place_give_finite_coordinates(trp_cage, scale):
    flat = trp_cage.select("backbone")
    assert flat.with_coords(flat.coords * scale).completed().coords.isfinite().all()


def test_a_file_without_any_backbone_nitrogen_is_repaired(shared):
    built = read(shared / "nasty" / "synth" / "no_N.pdb").completed()
    backbone = built.topology.backbone[built.topology.residue_kinds == "protein"]
    assert (backbone >= 0).all()
    nitrogen, carbon = (first_model(built)[backbone[:, column]] for column in (0, 1))
    assert abs(np.median(np.linalg.norm(nitrogen - carbon, axis=-1)) - 1.46) < 0.05


def test_single_precision_stays_single(trp_cage):
    part = trp_cage.select("backbone").to(torch.float32)
    assert part.completed().coords.dtype == torch.float32
