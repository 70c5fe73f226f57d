"""Bonds by table, by distance and by covalent radii."""

import gemmi
import numpy as np
import pytest

from motet.chem import RESIDUES, kind_of
from motet.io import read
from motet.structure.assembly import rebonded
from motet.structure.bonding import bonds_of


def system(*residues, chains=None):
    """Arrays of `bonds_of` for (residue name, [(atom, element, place), ...])."""
    atoms = [(row, *atom) for row, (_, atoms) in enumerate(residues) for atom in atoms]
    names = np.array([name for name, _ in residues])
    return {
        "atom_names": np.array([atom[1] for atom in atoms]),
        "elements": np.array([atom[2] for atom in atoms]),
        "residue_of_atom": np.array([atom[0] for atom in atoms]),
        "residue_names": names,
        "residue_kinds": np.array([kind_of(str(name)) for name in names]),
        "chain_of_residue": np.array(chains or [0] * len(residues)),
        "coords": np.array([atom[3] for atom in atoms], dtype=np.float64),
    }


def named(arrays, hints=None):
    names, residue = arrays["atom_names"], arrays["residue_of_atom"]
    bonds = bonds_of(**arrays, hints=None if hints is None else np.array(hints).reshape(-1, 2))
    return {(f"{residue[i]}{names[i]}", f"{residue[j]}{names[j]}") for i, j in bonds.tolist()}


def ideal(name, shift=0.0):
    return (name, [(atom.name, atom.element, np.array(atom.ideal) + shift) for atom in RESIDUES[name].atoms])


def from_file(path):
    structure = gemmi.read_structure(str(path))
    structure.remove_alternative_conformations()
    residues, chains = [], []
    for number, chain in enumerate(structure[0]):
        for residue in chain:
            atoms = [(atom.name, atom.element.name.capitalize(), atom.pos.tolist()) for atom in residue]
            residues.append((residue.name, atoms))
            chains.append(number)
    return system(*residues, chains=chains)


@pytest.mark.parametrize("name", sorted(name for name, residue in RESIDUES.items() if residue.bonds))
def test_a_residue_of_the_dictionary_gets_its_bonds_wherever_its_atoms_are(name):
    arrays = system(ideal(name))
    expected = {tuple(sorted((f"0{a}", f"0{b}"))) for a, b, _ in RESIDUES[name].bonds}
    assert {tuple(sorted(pair)) for pair in named(arrays)} == expected
    assert {tuple(sorted(pair)) for pair in named(arrays | {"coords": arrays["coords"] * 0})} == expected


@pytest.mark.parametrize("name", ["TRP", "SEP", "MSE", "PTR", "LLP"])
def test_covalent_radii_find_the_bonds_that_the_table_has(name):
    by_table = system(ideal(name))
    by_radii = by_table | {"residue_names": np.array(["UNL"]), "residue_kinds": np.array(["ligand"])}
    assert named(by_table) == named(by_radii)


def test_peptides_are_bonded_below_two_angstrom_within_a_chain():
    near = [("ALA", [("C", "C", (0, 0, 0))]), ("ALA", [("N", "N", (1.99, 0, 0))])]
    far = [near[0], ("ALA", [("N", "N", (2.01, 0, 0))])]
    assert named(system(*near)) == {("0C", "1N")}
    assert not named(system(*far))
    assert not named(system(*near, chains=[0, 1]))


def test_a_cyclic_peptide_is_closed():
    places = [(np.cos(a), np.sin(a), 0) for a in np.arange(6) * np.pi / 3]
    ring = [
        ("GLY", [("N", "N", np.array(places[2 * i]) * 1.4), ("C", "C", np.array(places[2 * i + 1]) * 1.4)])
        for i in range(3)
    ]
    assert named(system(*ring)) == {("0C", "1N"), ("1C", "2N"), ("0N", "2C")}


def test_a_cysteine_has_one_disulfide_and_it_is_the_nearest():
    sulphurs = [("CYS", [("SG", "S", (x, 0, 0))]) for x in (0, 2.05, 4.3)]
    assert named(system(*sulphurs)) == {("0SG", "1SG")}
    assert not named(system(sulphurs[0], ("CYS", [("SG", "S", (2.6, 0, 0))])))


def test_lysozyme_has_its_four_disulfides(shared):
    arrays = from_file(shared / "structures" / "1aki.pdb")
    names, residue = arrays["atom_names"], arrays["residue_of_atom"]
    found = {
        (residue[i] + 1, residue[j] + 1) for i, j in bonds_of(**arrays).tolist() if names[i] == names[j] == "SG"
    }
    assert found == {(6, 127), (30, 115), (64, 80), (76, 94)}


def test_ligands_bind_protein_and_ions_waters_and_metals_bind_nobody():
    serine = ("ASN", [("ND2", "N", (0, 0, 0))])
    assert named(system(serine, ("NAG", [("C1", "C", (1.45, 0, 0))]))) == {("0ND2", "1C1")}
    for name, element in (("HOH", "O"), ("ZN", "Zn"), ("HEM", "Fe")):
        assert not named(system(serine, (name, [(element.upper(), element, (1.45, 0, 0))])))


def test_a_metal_is_bonded_within_its_own_ligand():
    assert named(system(("HEM", [("FE", "Fe", (0, 0, 0)), ("NA", "N", (2.0, 0, 0))]))) == {("0FE", "0NA")}


def test_metals_do_not_bind_each_other():
    assert not named(system(("SF4", [("FE1", "Fe", (0, 0, 0)), ("FE2", "Fe", (2.6, 0, 0))])))


def test_amino_acids_are_bonded_beyond_the_backbone_only_by_a_hint_that_fits():
    near = system(("LYS", [("NZ", "N", (0, 0, 0))]), ("GLU", [("CD", "C", (1.33, 0, 0))]))
    assert not named(near)
    assert named(near, [(1, 0)]) == {("0NZ", "1CD")}
    assert not named(near | {"coords": 2 * near["coords"]}, [(1, 0)])
    assert not named(near | {"elements": np.array(["Zn", "C"])}, [(0, 1)])


def test_a_bond_that_only_a_file_claimed_is_found_again(shared):
    structure = read(shared / "nasty" / "real" / "biopython__2n0n_M1.pdb")
    again = rebonded(structure, np.ones(structure.n_atoms, dtype=bool)).topology
    assert ("NZ", "CD") in {(str(again.atom_names[i]), str(again.atom_names[j])) for i, j in again.bonds}
    assert (again.bonds == structure.topology.bonds).all()


def test_residues_that_lie_on_each_other_are_not_bonded():
    ring = [(f"C{i}", "C", (1.4 * np.cos(i * np.pi / 3), 1.4 * np.sin(i * np.pi / 3), 0)) for i in range(6)]
    both = system(("UNL", ring), ("UNL", ring), chains=[0, 1])
    assert len(named(both)) == 12
    assert named(both) == named(both, [(0, 6), (0, 7)])


def test_a_disulfide_within_a_chain_comes_before_one_across():
    sulphurs = [("CYS", [("SG", "S", (x, 0, 0))]) for x in (-2.1, 0, 2.4)]
    assert named(system(*sulphurs, chains=[0, 1, 1])) == {("1SG", "2SG")}
    assert named(system(*sulphurs, chains=[0, 0, 1])) == {("0SG", "1SG")}


def test_hydrogens_that_the_table_does_not_name_bind_the_nearest_atom_once():
    methyl = [("CA", "C", (0, 0, 0)), ("CB", "C", (1.5, 0, 0)), ("1HB", "H", (0.95, 0.9, 0))]
    assert named(system(("ALA", methyl))) == {("0CA", "0CB"), ("0CB", "01HB")}


def test_the_protons_of_an_n_terminus_are_bonded():
    start = [("N", "N", (0, 0, 0)), ("CA", "C", (1.46, 0, 0)), *((f"H{i}", "H", (9, 9, i)) for i in (1, 2, 3))]
    assert named(system(("ALA", start))) == {("0N", "0CA"), ("0N", "0H1"), ("0N", "0H2"), ("0N", "0H3")}


def test_the_result_is_sorted_unique_and_smaller_index_first(shared):
    bonds = bonds_of(**from_file(shared / "structures" / "5v2d.pdb"))
    assert (bonds[:, 0] < bonds[:, 1]).all()
    assert (np.unique(bonds, axis=0) == bonds).all()
    assert bonds.dtype == np.int64


def test_atoms_at_one_place_nowhere_or_absent_are_survived():
    ligand = ("UNL", [(f"C{i}", "C", (0, 0, 0)) for i in range(50)])
    assert not len(bonds_of(**system(ligand)))
    lost = system(("UNL", [("C1", "C", (0, 0, 0)), ("C2", "C", (np.nan, 0, 0)), ("C3", "X", (1.4, 0, 0))]))
    assert named(lost) == {("0C1", "0C3")}
    empty = system(("ALA", [("CA", "C", (0, 0, 0))]))
    assert bonds_of(**empty).shape == (0, 2)
    nothing = {key: values[:0] for key, values in empty.items()}
    assert bonds_of(**nothing).shape == (0, 2)


def test_an_atom_written_twice_counts_once():
    twice = [("N", "N", (0, 0, 0)), ("CA", "C", (1.46, 0, 0)), ("CA", "C", (1.46, 0, 0))]
    assert bonds_of(**system(("ALA", twice))).tolist() == [[0, 1], [0, 2]]
