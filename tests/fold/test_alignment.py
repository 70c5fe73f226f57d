import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from motet.errors import ConfigError
from motet.fold import SamplingConfig
from motet.fold.alignment import (
    assembled,
    chosen,
    features_of,
    masked,
    nearest_centres,
    numbered,
    profile,
    query_types,
)
from motet.fold.residues import (
    ATOM_EXISTS,
    ATOM_OF_PLACE,
    GAP,
    LETTERS,
    MASKED,
    PLACE_EXISTS,
    PLACE_OF_ATOM,
)
from motet.io import Alignment, read_a3m


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def alignment(*rows, deletions=None):
    ids = tuple(str(i) for i in range(len(rows)))
    gone = np.zeros((len(rows), len(rows[0])), np.int64) if deletions is None else np.array(deletions)
    return Alignment(ids, ids, rows, gone)


@pytest.fixture(scope="module")
def kaib(reference):
    return read_a3m(reference / "kaib_2qke_40seq.a3m")


def rows_as_chosen(recorded, rows):
    """Which rows of the alignment the original chose, found by their residues and deletions."""
    found = []
    for types in recorded:
        same = (rows.types == torch.from_numpy(types)).all(-1).nonzero().flatten().tolist()
        found.append(next(row for row in same if row not in found))
    return torch.tensor(found)


def test_features_of_kaib_are_those_of_the_original(kaib, recording):
    """The original's choice of rows is random and was recorded; everything that follows from it must be equal."""
    rows = numbered(kaib)
    centres = rows_as_chosen(recording["in/true_msa"].astype(np.int64), rows)
    real = recording["in/extra_msa_mask"][:, 0] > 0
    others = rows_as_chosen(recording["in/extra_msa"][real].astype(np.int64), rows)
    assert sorted([*centres.tolist(), *others.tolist()]) == list(range(40))
    found = assembled(query_types(kaib.query), rows[centres], rows[others], torch.arange(24))
    np.testing.assert_array_equal(found.residue_types, recording["in/aatype"])
    np.testing.assert_array_equal(found.residue_index, recording["in/residue_index"])
    np.testing.assert_array_equal(found.target, recording["in/target_feat"])
    np.testing.assert_array_equal(found.extra_types, recording["in/extra_msa"][real])
    np.testing.assert_array_equal(found.extra_has_deletion, recording["in/extra_has_deletion"][real])
    # the arctangents of numpy and of torch differ in the last bit
    np.testing.assert_allclose(
        found.extra_deletions, recording["in/extra_deletion_value"][real], rtol=0, atol=6e-8
    )
    np.testing.assert_array_equal(found.msa[..., :24], recording["in/msa_feat"][..., :24])
    np.testing.assert_array_equal(found.msa[..., 25:48], recording["in/msa_feat"][..., 25:48])
    np.testing.assert_allclose(found.msa, recording["in/msa_feat"], rtol=0, atol=6e-8)


def test_tables_of_atoms_are_those_of_the_original(recording):
    kinds = recording["in/aatype"]
    np.testing.assert_array_equal(PLACE_EXISTS[kinds], recording["in/atom14_atom_exists"])
    np.testing.assert_array_equal(ATOM_OF_PLACE[kinds], recording["in/residx_atom14_to_atom37"])
    np.testing.assert_array_equal(ATOM_EXISTS[kinds], recording["in/atom37_atom_exists"])
    np.testing.assert_array_equal(PLACE_OF_ATOM[kinds], recording["in/residx_atom37_to_atom14"])


def test_a_seed_fixes_the_features_and_another_one_changes_them(kaib):
    few = SamplingConfig(clusters=5, extra=7)
    first, again, other = (features_of(kaib, few, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.msa, again.msa)
    assert torch.equal(first.extra_types, again.extra_types)
    assert not torch.equal(first.msa, other.msa)


def test_the_query_is_always_the_first_centre_and_no_row_is_read_twice(kaib):
    found = features_of(kaib, SamplingConfig(clusters=5, extra=100), generator())
    assert torch.equal(found.msa[0, :, :21].argmax(-1), found.residue_types)
    assert found.msa.shape == (5, 91, 49)
    assert found.extra_types.shape == (35, 91)
    choice = chosen(40, 5, generator())
    assert sorted(torch.cat((choice.centres, choice.others)).tolist()) == list(range(40))


def test_profiles_of_clusters_sum_to_one(kaib):
    found = features_of(kaib, SamplingConfig(clusters=3, extra=0), generator())
    assert found.extra_types.shape == (1, 91)
    assert not found.extra_presence.any()  # the one row is absent: the network needs a row to read
    torch.testing.assert_close(found.msa[..., 25:48].sum(-1), torch.ones(3, 91))


def test_ambiguous_letters_are_read_as_hhblits_does_but_are_unknown_in_the_query():
    rows = numbered(alignment("BZUJOX-A"))
    assert "".join(LETTERS[i] for i in rows.types[0].tolist()) == "DECXXX-A"
    assert query_types("BZUJOXA").tolist() == [20] * 6 + [0]


def test_gaps_in_the_query_are_refused():
    with pytest.raises(ConfigError, match="the query has 1 gaps"):
        features_of(alignment("A-C"), SamplingConfig(), generator())


def test_a_row_joins_the_first_of_the_centres_that_agree_best_and_gaps_do_not_agree():
    centres = numbered(alignment("AAAA", "CCCC", "A---")).types
    others = numbered(alignment("CCAA", "C---", "----", "CCCA")).types
    assert nearest_centres(centres, others).tolist() == [0, 1, 0, 1]


def test_a_single_sequence_has_features():
    found = features_of(alignment("ACDEF"), SamplingConfig(), generator())
    assert found.msa.shape == (1, 5, 49)
    assert found.extra_types.shape == (1, 5)
    assert not found.extra_presence.any()
    # AlphaFold2 divides by the number of members and a millionth
    torch.testing.assert_close(found.msa[0, :, 25:48], found.msa[0, :, :23], rtol=0, atol=2e-6)


def test_deletions_are_counted_before_their_column():
    found = features_of(alignment("AC", "AC", deletions=[[0, 0], [0, 3]]), SamplingConfig(clusters=2), generator())
    assert found.msa[1, :, 23].tolist() == [0, 1]
    torch.testing.assert_close(found.msa[1, :, 24], torch.tensor([0, 0.5]))


def test_masking_touches_the_fraction_it_is_asked_for_and_mostly_leaves_a_mark():
    types = torch.full((100, 100), 3)
    found = masked(type(numbered(alignment("A")))(types, types.float()), profile(types, GAP + 1), 0.2, generator())
    changed = (found.types != types).float().mean()
    # of ten, one is drawn from the column (here always 3), one stays, and one of 200 is drawn back
    assert float(changed) == pytest.approx(0.2 * (1 - 0.1 - 0.1 - 0.005), abs=0.01)
    assert float((found.types == MASKED).float().mean()) == pytest.approx(0.2 * 0.7, abs=0.01)


def test_masking_is_off_unless_asked_for(kaib):
    assert not features_of(kaib, SamplingConfig(), generator()).msa[..., MASKED].any()
    assert features_of(kaib, SamplingConfig(masked=0.15), generator()).msa[..., MASKED].any()


def test_profiles_are_frequencies():
    types = torch.tensor([[0, 21], [0, 3], [5, 3], [0, 3]])
    expected = one_hot(types, 22).float().mean(0)
    torch.testing.assert_close(profile(types, 22), expected)
