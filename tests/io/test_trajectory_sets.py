"""A folder of simulations: which structure names the atoms of which trajectory."""

import pytest

from motet.errors import FormatError
from motet.io import find_trajectories


def folder_of(tmp_path, *names):
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


def found(folder):
    return [(one.name, one.topology.name, one.frames and one.frames.name) for one in find_trajectories(folder)]


def test_a_structure_of_the_same_name_comes_first(tmp_path):
    folder = folder_of(tmp_path, "a.pdb", "a.xtc", "b.cif.gz", "b.dcd", "topology.pdb", "notes.txt")
    assert found(folder) == [("a", "a.pdb", "a.xtc"), ("b", "b.cif.gz", "b.dcd")]


def test_then_one_called_topology_then_the_only_one(tmp_path):
    folder = folder_of(tmp_path, "topology.pdb", "other.pdb", "run1.xtc", "run2.xtc")
    assert {topology for _, topology, _ in found(folder)} == {"topology.pdb"}
    (folder / "topology.pdb").unlink()
    assert {topology for _, topology, _ in found(folder)} == {"other.pdb"}


def test_structures_alone_are_trajectories_of_models(tmp_path):
    assert found(folder_of(tmp_path, "b.pdb", "a.cif")) == [("a", "a.cif", None), ("b", "b.pdb", None)]


@pytest.mark.parametrize(
    ("names", "why"),
    [(["run.xtc"], "holds no PDB"), (["a.pdb", "b.pdb", "run.xtc"], "none with the name of run.xtc")],
)
def test_a_trajectory_whose_atoms_nobody_names_is_refused(tmp_path, names, why):
    with pytest.raises(FormatError, match=why):
        find_trajectories(folder_of(tmp_path, *names))


def test_a_file_is_no_folder(tmp_path):
    with pytest.raises(FormatError, match="is no directory"):
        find_trajectories(folder_of(tmp_path, "a.pdb") / "a.pdb")
