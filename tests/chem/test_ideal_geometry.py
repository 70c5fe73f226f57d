"""Whose row of the tables holds: the residue's, its parent's, its neighbour's, anybody's."""

import math

import numpy as np
import pytest

from motet.chem import BOND_ANGLES, BOND_LENGTHS, measured_angle, seen_from_outside, tabled_angle, tabled_length


@pytest.mark.parametrize("key", [key for key in BOND_LENGTHS if key[0] != "*"])
def test_a_length_is_found_from_either_end(key):
    residue, a, b = key
    inside, outside = (a, b) if a[0] not in "-+*" else (b, a)
    assert tabled_length(residue, inside, outside) is BOND_LENGTHS[key]
    if a[0] not in "-+*" and b[0] not in "-+*":
        assert tabled_length(residue, b, a) is BOND_LENGTHS[key]


@pytest.mark.parametrize("key", [key for key in BOND_ANGLES if key[0] != "*" and key[3] != "+N"])
def test_an_angle_is_found_in_either_order(key):
    residue, a, b, c = key
    assert tabled_angle(residue, a, b, c) is tabled_angle(residue, c, b, a) is BOND_ANGLES[key]


@pytest.mark.parametrize(("after", "angstrom"), [("PRO", 1.338), ("GLY", 1.326), ("ALA", 1.336), ("", 1.336)])
def test_a_peptide_bond_is_that_of_the_residue_after(after, angstrom):
    for before in ("ALA", "PRO", "GLY", "XYZ"):
        found = tabled_length(before, "C", "+N", after)
        assert found is not None
        assert found.value == angstrom
        assert tabled_length(after, "N", "-C", before) is found


@pytest.mark.parametrize(
    ("residue", "after", "degrees"),
    [
        ("ALA", "ALA", 117.2),
        ("ALA", "PRO", 117.1),
        ("PRO", "ALA", 117.2),
        ("PRO", "PRO", 117.1),
        ("GLY", "ALA", 116.2),
        ("GLY", "PRO", 117.1),
        ("ALA", "", 117.2),
        ("HYP", "ALA", 117.2),
    ],
)
def test_proline_s_angle_at_the_next_n_is_about_the_residue_before_it(residue, after, degrees):
    found = tabled_angle(residue, "CA", "C", "+N", after)
    assert found is not None
    assert math.degrees(found.value) == pytest.approx(degrees)


def test_a_modified_residue_has_its_parent_s_rows():
    assert tabled_length("SEP", "CA", "CB") is BOND_LENGTHS["SER", "CA", "CB"]
    assert tabled_angle("SEP", "OG", "CB", "CA") is BOND_ANGLES["SER", "CA", "CB", "OG"]
    assert tabled_length("SEP", "OG", "P") is None
    assert tabled_length("HEM", "FE", "NA") is None


def test_an_atom_of_another_residue_is_known_by_the_polymer_s_bonds_alone():
    assert [seen_from_outside(name) for name in ("C", "N", "SG", "NZ")] == ["-C", "+N", "*SG", "?NZ"]
    assert tabled_length("CYS", "SG", "*SG", "CYS") is BOND_LENGTHS["CYS", "SG", "*SG"]
    assert tabled_length("LYS", "NZ", "?CD", "GLU") is None


def test_a_measured_angle_is_finite_where_points_are_straight_or_one():
    assert measured_angle(np.array([[1.0, 0, 0], [0, 0, 0], [0, 2, 0]])) == pytest.approx(math.pi / 2)
    assert measured_angle(np.array([[1.0, 0, 0], [0, 0, 0], [-2, 0, 0]])) == pytest.approx(math.pi)
    assert measured_angle(np.zeros((3, 3))) == 0
