import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motet import io
from motet.errors import FormatError
from motet.io.pdb import hybrid36, in_hybrid36

from .conftest import atom_line, glycine


@given(st.integers(-999, 9999 + 52 * 36**3))
def test_hybrid_36_reads_back_what_it_wrote(number):
    text = in_hybrid36(number, 4)
    assert text is not None
    assert len(text) == 4
    assert hybrid36(text, 4) == number


def test_hybrid_36_agrees_with_its_definition():
    assert in_hybrid36(99_999, 5) == "99999"
    assert in_hybrid36(100_000, 5) == "A0000"
    assert in_hybrid36(100_000 + 26 * 36**4, 5) == "a0000"
    assert in_hybrid36(100_000 + 52 * 36**4, 5) is None


def test_columns_stand_where_the_format_wants_them(pdb_file, tmp_path):
    lines = [
        *glycine(number=-5, code="B", b=7.25, occupancy=0.5),
        atom_line("CA", "CA", "B", 9, (50, 0, 0), element="CA", charge="2+", record="HETATM"),
    ]
    io.write(io.read(pdb_file(*lines)), tmp_path / "out.pdb")
    atoms = [line for line in (tmp_path / "out.pdb").read_text().split("\n") if line[:6] in ("ATOM  ", "HETATM")]
    assert atoms[1] == "ATOM      2  CA  GLY A  -5B      0.000   0.000   0.000  0.50  7.25           C"
    assert atoms[4] == "HETATM    6 CA    CA B   9      50.000   0.000   0.000  1.00 20.00          CA2+"


def test_a_calcium_is_no_alpha_carbon(pdb_file):
    ion = atom_line("CA", "CA", "B", 9, (50, 0, 0), element="  ", record="HETATM")
    structure = io.read(pdb_file(*glycine(), ion.replace("  CA   CA", " CA    CA")))
    assert structure.topology.elements.tolist() == ["N", "C", "C", "O", "Ca"]
    assert structure.topology.residue_kinds.tolist() == ["protein", "ion"]


def test_a_wrong_element_column_is_mended(pdb_file, said):
    lines = [line.replace("          C", "         CA") if " CA " in line else line for line in glycine()]
    structure = io.read(pdb_file(*lines))
    assert structure.topology.elements.tolist() == ["N", "C", "C", "O"]
    assert "wrong element" in said(structure)


def test_pieces_of_a_chain_are_joined(pdb_file):
    lines = [*glycine("A", 1), *glycine("B", 1, (50, 0, 0)), *glycine("A", 2, (0, 50, 0))]
    topology = io.read(pdb_file(*lines)).topology
    assert topology.chain_ids.tolist() == ["A", "B"]
    assert topology.chain_of_residue.tolist() == [0, 0, 1]
    assert [topology.residue_label(k) for k in range(3)] == ["A:GLY1", "A:GLY2", "B:GLY1"]


def test_chains_without_a_name_are_told_apart_by_ter(pdb_file, said):
    structure = io.read(
        pdb_file(*glycine(" ", 1), "TER", *glycine(" ", 1, (50, 0, 0)), *glycine("A", 1, (0, 50, 0)))
    )
    assert structure.topology.chain_ids.tolist() == ["B", "C", "A"]
    assert "without a chain name" in said(structure)


def test_models_become_a_batch(pdb_file):
    lines = ["MODEL        1", *glycine(), "ENDMDL", "MODEL        2", *glycine(shift=(1, 2, 3)), "ENDMDL"]
    structure = io.read(pdb_file(*lines))
    assert structure.coords.shape == (2, 4, 3)
    np.testing.assert_allclose(
        (structure.coords[1] - structure.coords[0]).numpy(), np.tile([1, 2, 3], (4, 1)), atol=1e-6
    )


def test_models_in_another_order_are_matched_by_name(pdb_file):
    lines = ["MODEL        1", *glycine(), "ENDMDL", "MODEL        2", *glycine(shift=(1, 0, 0))[::-1], "ENDMDL"]
    structure = io.read(pdb_file(*lines))
    np.testing.assert_allclose(
        (structure.coords[1] - structure.coords[0]).numpy(), np.tile([1, 0, 0], (4, 1)), atol=1e-6
    )


def test_the_majority_of_models_is_kept_and_the_rest_is_named(pdb_file, said):
    lines = []
    for model, atoms in enumerate((glycine()[:3], glycine(), glycine()), start=1):
        lines += [f"MODEL     {model:4d}", *atoms, "ENDMDL"]
    structure = io.read(pdb_file(*lines))
    assert structure.coords.shape == (2, 4, 3)
    assert "1 model of 3 (1)" in said(structure)


def test_residues_out_of_order_are_sorted_where_that_links_them(shared, said):
    straight = io.read(shared / "nasty/synth/ok_heavy.pdb")
    backward = io.read(shared / "nasty/synth/reverse.pdb")
    assert backward.topology.residue_numbers.tolist() == straight.topology.residue_numbers.tolist()
    assert len(backward.topology.bonds) == len(straight.topology.bonds)
    assert "order of the chain" in said(backward)


def test_far_from_the_origin_the_third_decimal_survives(shared):
    near, far = (io.read(shared / f"nasty/synth/{name}.pdb") for name in ("ok_heavy", "far_origin"))
    shift = far.coords.double() - near.coords.double()
    assert (shift - shift.mean(0)).abs().max() < 0.001


def test_beyond_what_float32_can_hold_coordinates_are_float64(pdb_file, said):
    structure = io.read(pdb_file(*glycine(shift=(9000.123, 0, 0))))
    assert structure.coords.dtype.itemsize == 8
    assert structure.coords[1, 0].item() == pytest.approx(9000.123, abs=1e-9)
    assert "float64" in said(structure)


def test_what_the_format_cannot_hold_is_refused_with_the_way_out(pdb_file, tmp_path):
    structure = io.read(pdb_file(*glycine()))
    with pytest.raises(FormatError, match=r"coordinates that do not fit the PDB format.*\.cif"):
        io.write(structure.with_coords(structure.coords + 20_000), tmp_path / "out.pdb")
    assert not (tmp_path / "out.pdb").exists()


@pytest.mark.parametrize("columns", ["     nan", "     inf", "********", "   1.0.0", "        "])
def test_a_coordinate_that_is_no_number_is_refused_with_its_line(columns, pdb_file):
    lines = glycine()
    lines[2] = lines[2][:38] + columns + lines[2][46:]
    with pytest.raises(FormatError, match="line 3 has no number"):
        io.read(pdb_file(*lines))


def test_standard_input_is_read(pdb_file):
    path = pdb_file(*glycine())
    code = "from motet import io; print(io.read('-').n_atoms)"
    with path.open() as text:
        done = subprocess.run([sys.executable, "-c", code], stdin=text, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4"


def test_values_of_a_prediction_are_taken_for_plddt(pdb_file, shared, said):
    values = [35.5, 60.25, 71, 82.5, 88, 91, 93.5, 96, 97.25, 98, 64, 55, 47.5]
    lines = [line for k, b in enumerate(values) for line in glycine(number=k + 1, shift=(9 * k, 0, 0), b=b)]
    guessed = io.read(pdb_file(*lines))
    assert guessed.b_factor_meaning == "pLDDT"
    assert "taken for pLDDT" in said(guessed)
    assert io.read(pdb_file("EXPDTA    X-RAY DIFFRACTION", *lines)).b_factor_meaning == "B"
    assert io.read(shared / "density/emd6272_vp6_af2/3j9sA_3j9sA_af2.pdb").b_factor_meaning == "pLDDT"
    assert io.read(shared / "structures/1ubq.pdb").b_factor_meaning == "B"
