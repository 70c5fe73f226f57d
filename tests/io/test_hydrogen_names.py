"""Hydrogen names are told by the heavy atom and the handedness, against the ideal conformers of the tables."""

import pytest

from motet import io
from motet.chem import RESIDUES, STANDARD

from .conftest import atom_line


def lines_of(name, rename):
    """The ideal conformer of a residue, its hydrogens under other names."""
    kind = RESIDUES[name]
    return [
        atom_line(rename.get(atom.name, atom.name), name, "A", 1, atom.ideal, element=atom.element)
        for atom in kind.atoms
        if atom.name not in ("HXT", "H2", "OXT")
    ]


def pairs_of(name):
    """Atoms with two hydrogens: their names in version 3."""
    kind = RESIDUES[name]
    found = [[n for n in kind.neighbours.get(a.name, ()) if kind.by_name[n].element == "H"] for a in kind.atoms]
    return [
        sorted(pair) for atom, pair in zip(kind.atoms, found, strict=True) if len(pair) == 2 and atom.name != "N"
    ]


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("name", [name for name in STANDARD if pairs_of(name)])
def test_two_hydrogens_are_told_apart_whatever_they_are_called(name, swap, pdb_file):
    rename = {}
    for number, (one, other) in enumerate(pairs_of(name)):
        first, second = (f"HX{number}", f"HY{number}")
        rename |= {one: second, other: first} if swap else {one: first, other: second}
    structure = io.read(pdb_file(*lines_of(name, rename)))
    straight = io.read(pdb_file(*lines_of(name, {})))
    assert structure.topology.atom_names.tolist() == straight.topology.atom_names.tolist()


@pytest.mark.parametrize(
    ("name", "rename"),
    [
        ("LEU", {"HB2": "1HB", "HB3": "2HB", "HD11": "1HD1", "HD12": "2HD1", "HD13": "3HD1"}),
        ("SER", {"HG": "HG1", "H": "HN"}),
        ("ALA", {"HB1": "1HB", "HB2": "2HB", "HB3": "3HB", "H": "D"}),
        ("GLY", {"HA2": "1HA", "HA3": "2HA"}),
    ],
)
def test_old_names_become_version_3(name, rename, pdb_file, said):
    structure = io.read(pdb_file(*lines_of(name, rename)))
    straight = io.read(pdb_file(*lines_of(name, {})))
    assert sorted(structure.topology.atom_names.tolist()) == sorted(straight.topology.atom_names.tolist())
    assert "renamed" in said(structure)
    assert "renamed" not in said(straight)


def test_version_2_and_version_3_of_one_file_agree(shared):
    old, new = (io.read(shared / f"nasty/synth/{name}.pdb") for name in ("old_h_names", "ok_baseline"))
    assert old.topology == new.topology


def test_deuterium_is_hydrogen(pdb_file):
    lines = [line[:76] + " D" if line[12:16] == " H  " else line for line in lines_of("ALA", {})]
    topology = io.read(pdb_file(*lines)).topology
    assert topology.elements[topology.atom_names == "H"].tolist() == ["H"]
