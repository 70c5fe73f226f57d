"""Engh and Huber's lengths and angles: one for every bond and angle of the twenty residues."""

import itertools
import math

import numpy as np
import pytest

from motet.chem import BOND_ANGLES, BOND_LENGTHS, RESIDUES, STANDARD, tabled_angle, tabled_length


def heavy_neighbours(name):
    residue = RESIDUES[name]
    heavy = {*residue.heavy_names, "OXT"}
    return {atom: [other for other in residue.neighbours[atom] if other in heavy] for atom in heavy}


@pytest.mark.parametrize("name", STANDARD)
def test_every_bond_of_heavy_atoms_has_a_length(name):
    bonds = {tuple(sorted((a, b))) for a, others in heavy_neighbours(name).items() for b in others}
    assert not [bond for bond in sorted(bonds) if tabled_length(name, *bond) is None]


@pytest.mark.parametrize("name", STANDARD)
def test_every_angle_of_heavy_atoms_has_a_value(name):
    angles = [
        (a, b, c) for b, others in heavy_neighbours(name).items() for a, c in itertools.combinations(others, 2)
    ]
    assert not [angle for angle in sorted(angles) if tabled_angle(name, *angle) is None]


@pytest.mark.parametrize("name", STANDARD)
def test_the_values_are_those_of_the_dictionary_s_conformer_but_for_its_acid(name):
    """Both describe the same molecule; the dictionary's carboxyl has its proton, ours has not."""
    residue = RESIDUES[name]
    acid = {"OXT", "OD2", "OE2"} if name in ("ASP", "GLU") else {"OXT"}
    for (owner, *atoms), ideal in BOND_LENGTHS.items():
        if owner == name and set(atoms) <= residue.by_name.keys() and not acid & set(atoms):
            length = np.linalg.norm(np.subtract(*residue.ideal(tuple(atoms))))
            assert abs(length - ideal.value) < 0.1, atoms
    for (owner, *atoms), ideal in BOND_ANGLES.items():
        if owner == name and set(atoms) <= residue.by_name.keys() and not acid & set(atoms):
            first, middle, last = residue.ideal(tuple(atoms))
            left, right = first - middle, last - middle
            angle = math.acos(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
            assert abs(angle - ideal.value) < math.radians(11), atoms


def test_values_are_positive_and_deviations_small():
    assert all(1.1 < ideal.value < 2.1 and 0 < ideal.deviation < 0.1 for ideal in BOND_LENGTHS.values())
    degrees = [(math.degrees(ideal.value), math.degrees(ideal.deviation)) for ideal in BOND_ANGLES.values()]
    assert all(95 < value < 140 and 0 < deviation < 5 for value, deviation in degrees)


@pytest.mark.parametrize("name", [name for name in STANDARD if name not in ("GLY",)])
def test_angles_around_a_planar_atom_add_up_to_a_turn(name):
    residue = RESIDUES[name]
    for middle, others in heavy_neighbours(name).items():
        planar = any(middle in (a, b) and order in ("2", "ar") for a, b, order in residue.bonds)
        if planar and len(others) == 3 and middle != "C":
            angles = [tabled_angle(name, a, middle, b) for a, b in itertools.combinations(others, 2)]
            total = sum(angle.value for angle in angles if angle)
            assert abs(math.degrees(total) - 360) < 1.5, middle
