"""Folders of predictions: the same models however they are packed, and what does not fit is left out aloud."""

import numpy as np
import pytest
import torch

from motet.errors import FormatError
from motet.io import read_predictions, write
from motet.structure import structure_from_backbone


@pytest.fixture
def models():
    generator = torch.Generator().manual_seed(1)
    places = 3.8 * torch.arange(12)[:, None, None] + torch.rand(3, 12, 4, 3, generator=generator)
    return structure_from_backbone("ACDEFGHIKLMN", places.float())


def archive(path, models, **others):
    fields = {
        "name": np.array(["a", "b", "c"]),
        "seq": np.array(["ACDEFGHIKLMN"] * 3),
        "coords": (models.coords.reshape(-1, 4, 3).numpy() * 100).round().astype(np.int16),
        "plddt": np.repeat([50, 70, 90], 12).astype(np.uint8),
    }
    np.savez(path, **(fields | others))
    return path


def test_a_folder_of_pdbs_is_the_npz_of_them(tmp_path, models):
    folder = tmp_path / "models"
    folder.mkdir()
    for i, name in enumerate("abc"):
        one = models.model(i)
        values = torch.full((one.n_atoms,), 50.0 + 20 * i)
        write(type(one)(one.topology, one.coords, values, one.occupancies, "pLDDT"), folder / f"{name}.pdb")
    packed, files = read_predictions(archive(tmp_path / "m.npz", models)), read_predictions(folder)
    assert packed.names == files.names == ("a", "b", "c")
    torch.testing.assert_close(packed.structure.coords, files.structure.coords, atol=0.006, rtol=0)
    torch.testing.assert_close(packed.confidence, files.confidence)
    assert packed.structure.topology.sequence("A") == files.structure.topology.sequence("A")


def test_another_sequence_and_a_broken_file_are_left_out_with_a_note(tmp_path, models):
    for name in ("a.pdb", "b.pdb"):
        write(models.model(0), tmp_path / name)
    write(models.model(0).residues(1, 9), tmp_path / "short.pdb")
    (tmp_path / "torn.pdb").write_text("ATOM  nonsense")
    found = read_predictions(tmp_path)
    assert found.names == ("a", "b")
    assert [("short" in note.text, "torn" in note.text) for note in found.notes] == [(False, True), (True, False)]


def test_atoms_that_some_models_lack_are_left_out(tmp_path, models):
    write(models.model(0), tmp_path / "whole.pdb")
    partial = models.model(1)
    write(partial.subset(partial.topology.atom_names != "O"), tmp_path / "without.pdb")
    found = read_predictions(tmp_path)
    assert found.structure.n_atoms == 36
    carbons = found.structure.topology.atom_index("CA")
    whole = models.coords[:2, models.topology.atom_index("CA")]
    torch.testing.assert_close(found.structure.coords[:, carbons], whole, atol=0.002, rtol=0)


def test_models_of_one_file_are_numbered(tmp_path, models):
    write(models, tmp_path / "all.pdb")
    assert read_predictions(tmp_path / "all.pdb").names == ("all-1", "all-2", "all-3")


def test_confidence_up_to_one_is_in_hundredths(tmp_path, models):
    found = read_predictions(archive(tmp_path / "m.npz", models, plddt=np.repeat([0.5, 0.7, 0.9], 12)))
    assert found.confidence is not None
    torch.testing.assert_close(found.confidence[:, 0], torch.tensor([50.0, 70.0, 90.0]))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"coords": np.zeros((35, 4, 3), dtype=np.int16)}, "do not fit"),
        ({"coords": np.full((36, 4, 3), np.nan)}, "numbers"),
        ({"seq": np.array([], dtype="<U1")}, "do not fit"),
    ],
)
def test_an_npz_that_lies_is_one_line(tmp_path, models, change, why):
    with pytest.raises(FormatError, match=why):
        read_predictions(archive(tmp_path / "m.npz", models, **change))


def test_nothing_to_read_is_one_line(tmp_path):
    with pytest.raises(FormatError, match="no PDB or mmCIF"):
        read_predictions(tmp_path)
    (tmp_path / "m.npz").write_bytes(b"not a zip")
    with pytest.raises(FormatError, match="npz"):
        read_predictions(tmp_path / "m.npz")
    (tmp_path / "junk.pdb").write_text("junk")
    with pytest.raises(FormatError, match="no protein model"):
        read_predictions(tmp_path)
