"""What the tests of io share: files made of a few lines."""

from pathlib import Path

import pytest


def atom_line(
    name="CA",
    residue="ALA",
    chain="A",
    number=1,
    place=(0.0, 0.0, 0.0),
    *,
    alternate=" ",
    code=" ",
    occupancy=1.0,
    b=20.0,
    element="C",
    charge="  ",
    serial=1,
    record="ATOM",
):
    """One line of a PDB file."""
    field = f" {name:<3}" if len(name) < 4 and len(element) == 1 else f"{name:<4}"
    x, y, z = place
    return (
        f"{record:<6}{serial:>5} {field}{alternate}{residue:>3} {chain}{number:>4}{code}   "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{b:6.2f}          {element:>2}{charge}"
    )


GLYCINE = {"N": (-1.458, 0.0, 0.0), "CA": (0.0, 0.0, 0.0), "C": (0.55, 1.42, 0.0), "O": (-0.2, 2.4, 0.0)}


def glycine(chain="A", number=1, shift=(0.0, 0.0, 0.0), **columns):
    """The four lines of a glycine."""
    return [
        atom_line(
            name,
            columns.get("residue", "GLY"),
            chain,
            number,
            tuple(a + b for a, b in zip(place, shift, strict=True)),
            element=name[0],
            **{key: value for key, value in columns.items() if key != "residue"},
        )
        for name, place in GLYCINE.items()
    ]


@pytest.fixture
def pdb_file(tmp_path):
    """Writes lines to a PDB file and gives its path."""

    def write(*lines: str, name: str = "made.pdb") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([*lines, "END", ""]))
        return path

    return write


@pytest.fixture
def said():
    """All notes of a structure in one string."""
    return lambda structure: " | ".join(f"{note.kind}: {note.text}" for note in structure.notes)
