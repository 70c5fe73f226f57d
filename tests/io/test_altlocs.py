import pytest

from motet import io

from .conftest import atom_line, glycine


def serine(gammas):
    """A glycine turned serine with CB, and an OG for each (label, occupancy, x)."""
    lines = [line.replace("GLY", "SER") for line in glycine()]
    lines.append(atom_line("CB", "SER", place=(0.5, -0.8, 1.2)))
    for label, occupancy, x in gammas:
        lines.append(
            atom_line("OG", "SER", place=(x, -1.9, 1.2), alternate=label, occupancy=occupancy, element="O")
        )
    return lines


@pytest.mark.parametrize(
    ("gammas", "kept"),
    [
        ([("A", 0.4, 1.0), ("B", 0.6, 1.3)], 1.3),
        ([("A", 0.5, 1.0), ("B", 0.5, 1.3)], 1.0),
        ([("B", 0.5, 1.3), ("A", 0.5, 1.0)], 1.0),
        ([("1", 0.5, 1.3), ("A", 0.5, 1.0)], 1.0),
        ([("C", 0.2, 1.0), ("B", 0.3, 1.3), ("A", 0.1, 1.6)], 1.3),
        ([("B", 0.1, 1.3)], 1.3),
    ],
)
def test_the_most_occupied_is_kept_and_ties_go_to_a(gammas, kept, pdb_file):
    structure = io.read(pdb_file(*serine(gammas)))
    assert structure.n_atoms == 6
    assert structure.coords[5, 0].item() == pytest.approx(kept)


def test_a_residue_keeps_one_conformation(pdb_file):
    """B wins on the mean, so that it is taken for CB as well, where A has more."""
    lines = [line.replace("GLY", "SER") for line in glycine()]
    for label, occupancies in (("A", (0.55, 0.2)), ("B", (0.45, 0.8))):
        for name, occupancy in zip(("CB", "OG"), occupancies, strict=True):
            x = 0.5 if label == "A" else 0.9
            place = (x, -0.8 if name == "CB" else -1.9, 1.2)
            lines.append(
                atom_line(name, "SER", place=place, alternate=label, occupancy=occupancy, element=name[0])
            )
    coords = io.read(pdb_file(*lines)).coords
    assert coords[4:, 0].tolist() == pytest.approx([0.9, 0.9])


def test_a_heavy_atom_that_the_winner_lacks_comes_from_the_other(pdb_file):
    lines = serine([("A", 0.3, 1.0)])
    lines[4] = atom_line("CB", "SER", place=(0.5, -0.8, 1.2), alternate="B", occupancy=0.7)
    assert io.read(pdb_file(*lines)).topology.atom_names.tolist() == ["N", "CA", "C", "O", "CB", "OG"]


def test_of_two_residue_names_at_one_place_one_is_kept_whole(pdb_file, said):
    alanine = [line.replace("GLY", "ALA") for line in glycine(alternate="B", occupancy=0.7, shift=(0.1, 0, 0))] + [
        atom_line("CB", "ALA", place=(0.6, -0.8, 1.2), alternate="B", occupancy=0.7)
    ]
    mixed = [line for pair in zip(glycine(alternate="A", occupancy=0.3), alanine, strict=False) for line in pair]
    structure = io.read(pdb_file(*mixed, alanine[-1]))
    assert structure.topology.residue_names.tolist() == ["ALA"]
    assert structure.topology.atom_names.tolist() == ["N", "CA", "C", "O", "CB"]
    assert "several residue names" in said(structure)
