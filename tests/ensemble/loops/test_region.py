import numpy as np
import pytest
import torch

from motet.ensemble.loops import find_region
from motet.errors import LoopRegionError


def test_the_loop_is_taken_out(start):
    region = find_region(start, "A:8-14")
    assert len(region.names) == 7
    numbers = region.structure.topology.residue_numbers
    assert not ((numbers >= 8) & (numbers <= 14)).any()
    assert (region.surrounded[0], region.surrounded[-2]) == ("LEU", "GLY")


def test_a_filled_region_has_the_same_residues_and_backbone_bonds(start):
    region = find_region(start, "A:8-14")
    topology = start.topology
    index = np.stack([topology.atom_index(name)[list(region.residues)] for name in ("N", "CA", "C", "O", "CB")], 1)
    native = start.coords[torch.from_numpy(np.maximum(index, 0))][None].double()
    whole = region.filled(native)
    assert (whole.topology.residue_names == topology.residue_names).all()
    assert (whole.topology.residue_numbers == topology.residue_numbers).all()
    assert (whole.topology.follows == topology.follows).all()
    backbone = torch.from_numpy(topology.backbone.ravel())
    filled = torch.from_numpy(whole.topology.backbone.ravel())
    torch.testing.assert_close(whole.coords[0, filled], start.coords[backbone])


def test_a_missing_loop_comes_from_its_sequence(start):
    gone = find_region(start, "A:8-14").structure
    region = find_region(gone, "A:8-14", "KDGGPSS")
    assert region.names == ("LYS", "ASP", "GLY", "GLY", "PRO", "SER", "SER")
    assert region.numbers == tuple(range(8, 15))


@pytest.mark.parametrize(
    ("residues", "sequence", "why"),
    [
        ("8..14", None, "cannot be read"),
        ("A:8-9", None, "three residues"),
        ("B:8-14", None, "no protein chain B"),
        ("A:1-5", None, "tail"),
        ("A:16-20", None, "tail"),
        ("A:8-14", "KDG", "7 residues"),
        ("A:8-14", "KDGGPS1", "no residue"),
        ("A:30-40", "KDGGPSSSSSS", "both sides"),
    ],
)
def test_what_is_no_loop_is_refused(start, residues, sequence, why):
    with pytest.raises(LoopRegionError, match=why):
        find_region(start, residues, sequence)


def test_a_missing_loop_needs_its_sequence(start):
    with pytest.raises(LoopRegionError, match="--sequence"):
        find_region(find_region(start, "A:8-14").structure, "A:8-14")
