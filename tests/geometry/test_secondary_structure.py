"""Secondary structure: helices and ladders that were built are seen, and DSSP agrees."""

import numpy as np
import pytest
import torch

from motet.geometry import backbone_from_torsions, secondary_structure


def built(phi_degrees, psi_degrees, residues=20):
    angles = torch.full((2, residues), 1.0, dtype=torch.float64).deg2rad()
    return backbone_from_torsions(angles[0] * phi_degrees, angles[1] * psi_degrees)


def test_a_helix_is_a_helix_and_a_lone_strand_is_nothing():
    helix = secondary_structure(built(-62.0, -43.0))
    assert helix[1:-1].tolist() == [1] * 18
    assert helix[0] == helix[-1] == 0
    assert not secondary_structure(built(-120.0, 130.0)).any()


def test_a_batch_equals_a_loop_and_how_it_lies_does_not_matter(spin):
    chains = torch.stack([built(-62.0, -43.0), built(-120.0, 130.0), built(-75.0, 0.0)])
    together = secondary_structure(chains)
    for chain, labels in zip(chains, together, strict=True):
        assert torch.equal(secondary_structure(chain @ spin - 8), labels)


def test_a_break_ends_a_helix():
    follows = torch.ones(20, dtype=torch.bool)
    follows[10] = False
    whole, broken = secondary_structure(built(-62.0, -43.0)), secondary_structure(built(-62.0, -43.0), follows)
    assert broken.sum() < whole.sum()
    assert (broken[9:11] == 0).any()


@pytest.mark.parametrize("residues", [0, 1, 5, 9])
def test_coincident_atoms_and_few_residues_are_no_error(residues):
    assert not secondary_structure(torch.zeros(2, residues, 4, 3)).any()


def test_dssp_agrees(shared):
    """DSSP of 60 chains as ProMod3's data base has it; strands whose partner is another chain cannot be seen."""
    data = np.load(shared / "dynamics" / "promod3_chains" / "chains_len40_128.npz")
    lengths, letters, coords, sequence = (data[key] for key in ("length", "dssp", "coords", "seq"))
    ends = np.cumsum(lengths)[:60]
    told, found = [], []
    for start, end in zip(ends - lengths[:60], ends, strict=True):
        backbone = torch.from_numpy(coords[start:end].astype(np.float32) / 100)
        found.append(
            secondary_structure(backbone, donates=torch.from_numpy(sequence[start:end] != ord("P"))).numpy()
        )
        told.append(np.select([letters[start:end] == ord("H"), letters[start:end] == ord("E")], [1, 2], 0))
    found, told = np.concatenate(found), np.concatenate(told)
    assert (found[told == 1] == 1).mean() > 0.99
    assert (told[found == 1] == 1).mean() > 0.98
    assert (told[found == 2] == 2).mean() > 0.99
    assert (found[told == 2] == 2).mean() > 0.75
