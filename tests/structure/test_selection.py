"""The selection language: what its words mean, the laws of its logic, and what it refuses."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motet.errors import SelectionError
from motet.io import read
from motet.structure import concatenate

LEAVES = (
    "all", "none", "protein", "backbone", "sidechain", "hydrogen", "heavy", "water", "ligand", "ion", "nucleic",
    "chain A", "chain A B", "name CA", "name CA CB", "resname LEU VAL TRP", "element C N", "residues 3-8",
    "5", "10-12 15", "-5--1", "residues 7A",
)  # fmt: skip
expressions = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=6,
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def pair(trp_cage):
    return concatenate(trp_cage, trp_cage.completed(hydrogens=True))


@quick
@given(x=expressions)
def test_not_not_is_nothing(pair, x):
    assert (pair.mask(f"not not ({x})") == pair.mask(x)).all()


@quick
@given(x=expressions, y=expressions)
def test_de_morgan(pair, x, y):
    assert (pair.mask(f"not (({x}) and ({y}))") == pair.mask(f"not ({x}) or not ({y})")).all()
    assert (pair.mask(f"not (({x}) or ({y}))") == pair.mask(f"not ({x}) and not ({y})")).all()


@quick
@given(x=expressions, y=expressions, z=expressions)
def test_and_binds_tighter_than_or(pair, x, y, z):
    assert (pair.mask(f"({x}) or ({y}) and ({z})") == pair.mask(f"({x}) or (({y}) and ({z}))")).all()


@quick
@given(x=expressions)
def test_a_thing_and_its_opposite_share_nothing_and_make_all(pair, x):
    assert not pair.mask(f"({x}) and not ({x})").any()
    assert pair.mask(f"({x}) or not ({x})").all()


@quick
@given(text=st.text(alphabet="chain AB-0123456789()notadresu", max_size=40))
def test_any_text_is_a_mask_or_a_selection_error(pair, text):
    with contextlib.suppress(SelectionError):
        assert pair.mask(text).shape == (pair.n_atoms,)


@pytest.mark.parametrize(
    ("expression", "atoms"),
    [
        ("name CA", 20),
        ("backbone and chain A", 81),
        ("residues 10", 4),
        ("10-11", 8),
        ("10 11 15", 12),
        ("resname TRP", 14),
        ("resname TRP and sidechain", 10),
        ("element O and backbone", 21),
        ("not (sidechain or backbone)", 0),
        ("resid 1-20 and name N", 20),
        ("resi 1 and name CA CB", 2),
        ("not chain A", 0),
        ("hydrogen", 0),
    ],
)
def test_words_count_what_they_name(trp_cage, expression, atoms):
    assert trp_cage.mask(expression).sum() == atoms


def test_kinds_divide_the_atoms_of_a_file(shared):
    structure = read(shared / "structures" / "5opj.pdb")
    masks = [structure.mask(kind) for kind in ("protein", "nucleic", "water", "ion", "ligand")]
    assert (np.sum(masks, axis=0) == 1).all()


def renumbered(structure, numbers, codes):
    topology = structure.topology
    rest = structure.n_residues - len(numbers)
    return replace(
        structure,
        topology=replace(
            topology,
            residue_numbers=np.array([*numbers, *range(100, 100 + rest)]),
            insertion_codes=np.array([*codes, *[""] * rest]),
        ),
    )


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("52", [1, 2, 3]),
        ("52A", [2]),
        ("51-52", [0, 1, 2, 3]),
        ("52-53", [1, 2, 3, 4]),
        ("52A-53", [2, 3, 4]),
        ("51-52A", [0, 1, 2]),
        ("residues 51 53", [0, 4]),
        ("53-51", []),
    ],
)
def test_insertion_codes_stand_between_the_numbers(trp_cage, expression, rows):
    structure = renumbered(trp_cage, [51, 52, 52, 52, 53], ["", "", "A", "B", ""])
    chosen = np.unique(structure.topology.residue_of_atom[structure.mask(expression)])
    assert chosen.tolist() == rows


@pytest.mark.parametrize(
    ("expression", "rows"), [("-5--3", [0, 1, 2]), ("-4", [1]), ("-3-0", [2, 3, 4, 5]), ("residues -5 0", [0, 5])]
)
def test_negative_numbers_are_numbers(trp_cage, expression, rows):
    structure = renumbered(trp_cage, [-5, -4, -3, -2, -1, 0], [""] * 6)
    chosen = np.unique(structure.topology.residue_of_atom[structure.mask(expression)])
    assert chosen.tolist() == rows


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "ends too early"),
        ("chain", "needs a value"),
        ("chain A and", "ends too early"),
        ("(chain A", "bracket is not closed"),
        ("chain A)", r"cannot read '\)'"),
        ("()", "does not know"),
        ("banana", "does not know the word 'banana'"),
        ("residues ten", "not a residue number"),
        ("10-", "does not know"),
        ("and", "does not know"),
        ("name and CA", "needs a value"),
        ("all all", "cannot read 'all'"),
    ],
)
def test_what_cannot_be_read_is_said(trp_cage, expression, reason):
    with pytest.raises(SelectionError, match=reason):
        trp_cage.mask(expression)


def test_selecting_nothing_is_an_error_and_masking_nothing_is_not(trp_cage):
    assert not trp_cage.mask("chain Z").any()
    with pytest.raises(SelectionError, match="no atom"):
        trp_cage.select("chain Z")


def test_a_bottomless_expression_is_refused(trp_cage):
    for deep in ("(" * 5000 + "all" + ")" * 5000, "not " * 5000 + "all"):
        with pytest.raises(SelectionError, match="too deep"):
            trp_cage.mask(deep)
    assert trp_cage.mask("(" * 30 + "all" + ")" * 30).all()


def test_short_ways_are_the_same_as_their_words(trp_cage):
    assert trp_cage.chain("A").topology == trp_cage.topology
    assert trp_cage.residues(3, 5).topology == trp_cage.select("3-5").topology
    assert trp_cage.backbone().n_atoms == 81
