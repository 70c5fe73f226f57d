"""The residue tables: complete, and consistent with each other."""

import numpy as np
import pytest

from motet.chem import (
    CHIS,
    ELEMENTS,
    RESIDUES,
    ROTAMERS,
    STANDARD,
    canonical_name,
    chis_of,
    kind_of,
    parent_of,
    read_table,
    template_of,
)

WITH_ATOMS = sorted(name for name, residue in RESIDUES.items() if residue.atoms)
HEAVY_COUNTS = {
    "ALA": 5, "ARG": 11, "ASN": 8, "ASP": 8, "CYS": 6, "GLN": 9, "GLU": 9, "GLY": 4, "HIS": 10, "ILE": 8,
    "LEU": 8, "LYS": 9, "MET": 8, "PHE": 11, "PRO": 7, "SER": 6, "THR": 7, "TRP": 14, "TYR": 12, "VAL": 7,
}  # fmt: skip


def test_there_are_twenty_standard_residues_with_a_letter_each():
    assert len(STANDARD) == 20
    assert "".join(sorted(RESIDUES[name].letter for name in STANDARD)) == "ACDEFGHIKLMNPQRSTVWY"
    assert {name: len(RESIDUES[name].heavy_names) for name in STANDARD} == HEAVY_COUNTS


@pytest.mark.parametrize("name", STANDARD)
def test_a_standard_residue_has_a_backbone_and_is_its_own_parent(name):
    assert {"N", "CA", "C", "O", "OXT", "HA" if name != "GLY" else "HA2"} <= RESIDUES[name].by_name.keys()
    assert parent_of(name) == name
    assert kind_of(name) == "protein"


@pytest.mark.parametrize("name", WITH_ATOMS)
def test_bonds_join_atoms_of_the_residue_into_one_piece(name):
    residue = RESIDUES[name]
    assert len(residue.by_name) == len(residue.atoms)
    pairs = {frozenset((a, b)) for a, b, _ in residue.bonds}
    assert len(pairs) == len(residue.bonds)
    assert all(pair <= residue.by_name.keys() and len(pair) == 2 for pair in pairs)
    assert {order for _, _, order in residue.bonds} <= {"1", "2", "3", "ar"}
    reached, front = {residue.atoms[0].name}, [residue.atoms[0].name]
    while front:
        beside = [other for other in residue.neighbours[front.pop()] if other not in reached]
        reached |= set(beside)
        front += beside
    assert reached == residue.by_name.keys()


@pytest.mark.parametrize("name", WITH_ATOMS)
def test_bonds_are_as_long_as_covalent_radii_say(name):
    residue = RESIDUES[name]
    for a, b, _ in residue.bonds:
        radii = sum(ELEMENTS[residue.by_name[atom].element].covalent_radius for atom in (a, b))
        length = np.linalg.norm(np.subtract(*residue.ideal((a, b))))
        assert radii - 0.35 < length < radii + 0.3, (a, b)


@pytest.mark.parametrize("name", sorted({*STANDARD, "MSE", "SEP", "TPO", "PTR", "CSO"}))
def test_alpha_carbons_are_left_handed(name):
    if name == "GLY":
        return
    n, ca, c, cb = RESIDUES[name].ideal(("N", "CA", "C", "CB"))
    assert np.linalg.det(np.stack([n - ca, c - ca, cb - ca])) > 0
    assert kind_of(name) == "protein"


def test_d_residues_are_right_handed_and_have_no_parent_among_the_twenty():
    n, ca, c, cb = RESIDUES["DAL"].ideal(("N", "CA", "C", "CB"))
    assert np.linalg.det(np.stack([n - ca, c - ca, cb - ca])) < 0


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("MSE", "MET"), ("SEP", "SER"), ("TPO", "THR"), ("PTR", "TYR"), ("HYP", "PRO"), ("CSO", "CYS"),
        ("MLY", "LYS"), ("SEC", "CYS"), ("PYL", "LYS"), ("HID", "HIS"), ("CYX", "CYS"), ("ASH", "ASP"),
    ],
)  # fmt: skip
def test_modified_residues_know_their_parent(name, parent):
    assert parent_of(name) == parent


def test_every_parent_is_a_standard_residue_and_every_alias_means_a_known_one():
    assert {residue.parent for residue in RESIDUES.values()} <= {*STANDARD, ""}
    for row in read_table("aliases.csv"):
        assert row["residue"] in STANDARD
        assert canonical_name(row["alias"]) == row["residue"]


def test_two_aliases_mean_something_else_in_the_dictionary_and_no_other():
    """GLH and HSE, far rarer in files than Amber's glutamic acid and CHARMM's histidine."""
    known = [row for row in read_table("aliases.csv") if row["alias"] in RESIDUES]
    assert {row["alias"] for row in known if RESIDUES[row["alias"]].parent != row["residue"]} == {"GLH", "HSE"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("HOH", "water"), ("ZN", "ion"), ("DA", "nucleic"), ("U", "nucleic"), ("HEM", "ligand"), ("", "ligand")],
)
def test_what_is_no_residue_is_named_by_its_kind(name, kind):
    assert kind_of(name) == kind
    assert parent_of(name) is None


@pytest.mark.parametrize("name", sorted(CHIS))
def test_chis_follow_bonds_and_each_other(name):
    residue = RESIDUES[name]
    for before, chi in zip((None, *CHIS[name]), CHIS[name], strict=False):
        for a, b in zip(chi.atoms[:-1], chi.atoms[1:], strict=True):
            assert b in residue.neighbours[a]
        assert chi.number == (before.number + 1 if before else 1)
        assert before is None or chi.atoms[:3] == before.atoms[1:]
    assert CHIS[name][0].atoms[:3] == ("N", "CA", "CB")


def test_only_glycine_and_alanine_have_no_chi():
    assert {name for name in STANDARD if name not in CHIS} == {"ALA", "GLY"}


def test_a_modified_residue_turns_where_its_parent_does():
    assert [chi.atoms[3] for chi in chis_of("SEP")] == ["OG"]
    assert [chi.atoms[3] for chi in chis_of("MSE")] == ["CG", "SE", "CE"]
    assert [chi.atoms for chi in chis_of("HID")] == [chi.atoms for chi in CHIS["HIS"]]
    assert chis_of("HEM") == ()


def test_a_half_turn_of_a_symmetric_chi_changes_nothing():
    """The ends that a half turn exchanges are of one element, and both hang on the turning atom."""
    for name, chis in CHIS.items():
        for chi in chis:
            residue = RESIDUES[name]
            ends = [other for other in residue.neighbours[chi.atoms[2]] if other != chi.atoms[1]]
            ends = [other for other in ends if residue.by_name[other].element != "H"]
            same = len(ends) == 2 and len({residue.by_name[other].element for other in ends}) == 1
            if chi.symmetric:
                assert same, (name, chi)


@pytest.mark.parametrize("name", sorted(ROTAMERS))
def test_rotamers_turn_every_chi_and_cover_their_residues(name):
    for rotamer in ROTAMERS[name]:
        assert len(rotamer.chis) == len(CHIS[name])
        assert all(abs(chi) <= np.pi + 1e-9 for chi in rotamer.chis)
    frequencies = [rotamer.frequency for rotamer in ROTAMERS[name]]
    assert frequencies == sorted(frequencies, reverse=True)
    assert 0.9 < sum(frequencies) <= 1.001


def test_every_residue_with_a_chi_has_rotamers():
    assert set(ROTAMERS) == {name for name in STANDARD if name in CHIS}


def test_a_template_goes_by_the_canonical_name_and_is_never_empty():
    assert template_of("HSD") is template_of("HIS") is RESIDUES["HIS"]
    assert template_of("HIP") is RESIDUES["HIS"]  # another program's name, before the dictionary's own HIP
    assert template_of("HEM") is None
    assert all(template_of(name) is None for name in RESIDUES if not RESIDUES[canonical_name(name)].atoms)
