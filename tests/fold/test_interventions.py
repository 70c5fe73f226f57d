"""What ensembles change about a pass: it is what it says, and nothing stays changed."""

from dataclasses import replace

import pytest
import torch

from motet.errors import ConfigError
from motet.fold import SamplingConfig, features_of
from motet.fold.alignment import Rows, assembled, numbered
from motet.fold.attention_probe import AttentionStatistics, attention_watched
from motet.fold.interventions import tempered, with_shuffled_columns, without_columns
from motet.fold.row_tokens import rows_followed
from motet.fold.template_files import aligned, templates_of
from motet.io import read, read_a3m

from .conftest import MODULES_MODEL
from .conftest import features_of as recorded_features


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(MODULES_MODEL).double()


@pytest.fixture(scope="module")
def features(modules):
    return recorded_features(modules, torch.float64)


@pytest.fixture(scope="module")
def kaib(reference):
    return read_a3m(reference / "kaib_2qke_40seq.a3m")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_temperature_of_one_changes_nothing_and_none_stays(model, features):
    with torch.inference_mode():
        plain = model(features).folded.positions
        with tempered(model.trunk.evoformer, 1.0):
            assert torch.equal(model(features).folded.positions, plain)
        with tempered(model.trunk.evoformer, 4.0):
            assert not torch.allclose(model(features).folded.positions, plain, atol=1e-3)
        assert torch.equal(model(features).folded.positions, plain)


def test_colder_attention_is_more_boolean(model, features):
    found = []
    for beta in (0.25, 1.0, 4.0):
        with (
            torch.inference_mode(),
            tempered(model.trunk.evoformer, beta),
            attention_watched(model.trunk.evoformer) as seen,
        ):
            model(features)
        found.append((seen.along_rows[0].booleanness, -seen.along_rows[0].mean_entropy))
    assert found == sorted(found)


def test_watching_attention_changes_nothing_and_shares_sum_to_one(model, features):
    with torch.inference_mode():
        plain = model(features).folded.positions
        with attention_watched(model.trunk.evoformer) as seen:
            watched = model(features).folded.positions
    assert torch.equal(plain, watched)
    assert len(seen.down_columns) == len(seen.along_rows) == 2
    for one in seen.down_columns:
        assert float(one.leadership.mean()) == pytest.approx(1)
        assert 0 <= one.gini < 1
        assert 0 < one.mean_entropy <= 1
    assert len(seen.leaders()) == 10  # six clusters and four templates
    assert len(seen.stability()) == 1


def test_statistics_of_known_attention():
    everyone, one = AttentionStatistics(), AttentionStatistics()
    everyone.add(torch.full((3, 2, 4, 4), 0.25))
    leader = torch.zeros(3, 2, 4, 4)
    leader[..., 1] = 1
    one.add(leader[:2])
    one.add(leader[2:])
    assert (everyone.mean_entropy, everyone.booleanness, everyone.gini) == pytest.approx((1, 0.25, 0))
    assert (one.mean_entropy, one.booleanness, one.gini) == pytest.approx((0, 1, 0.75))
    assert one.leadership.tolist() == [0, 4, 0, 0]


def test_rows_are_followed_block_by_block(model, features):
    with torch.inference_mode(), rows_followed(model.trunk.evoformer) as tokens:
        known = model(features).representations
    assert tokens.blocks.shape == (2, 10, 256)
    last = torch.nn.functional.layer_norm(known.msa.float(), (256,)).mean(-2)
    torch.testing.assert_close(tokens.blocks[-1, :6], last, rtol=0, atol=1e-5)


def test_masked_columns_are_unknown_in_all_rows_but_the_query(kaib):
    rows = numbered(kaib)
    hidden = without_columns(rows, 0.2, seeded())
    assert torch.equal(hidden.types[0], rows.types[0])
    changed = (hidden.types[1:] == 20).all(0)
    assert int(changed.sum()) == round(0.2 * len(kaib))
    assert torch.equal(hidden.types[:, ~changed], rows.types[:, ~changed])
    with pytest.raises(ConfigError, match="share of 1"):
        without_columns(rows, 1.0, seeded())


def test_shuffled_columns_keep_their_letters_and_the_query(kaib):
    rows = numbered(kaib)
    shuffled = with_shuffled_columns(rows, seeded())
    assert torch.equal(shuffled.types[0], rows.types[0])
    assert torch.equal(shuffled.types.sort(0).values, rows.types.sort(0).values)
    assert not torch.equal(shuffled.types, rows.types)


def test_a_weight_of_zero_is_a_deleted_row_from_the_features_on(kaib):
    """The row is in no profile either: weights of 0 and 1 are the features of the shorter alignment."""
    keep = torch.ones(kaib.depth)
    keep[3:20:2] = 0
    short = replace(
        kaib,
        rows=tuple(row for row, weight in zip(kaib.rows, keep, strict=True) if weight),
        deletions=kaib.deletions[keep.bool().numpy()],
        ids=tuple(i for i, weight in zip(kaib.ids, keep, strict=True) if weight),
        descriptions=tuple(i for i, weight in zip(kaib.descriptions, keep, strict=True) if weight),
    )
    sampling = SamplingConfig(clusters=8, extra=12)
    one = features_of(kaib, sampling, seeded(), weights=keep)
    two = features_of(short, sampling, seeded())
    for name in ("msa", "extra_types", "msa_presence", "extra_presence"):
        assert torch.equal(getattr(one, name), getattr(two, name)), name


def test_profiles_move_smoothly_with_the_weights(kaib):
    rows = numbered(kaib)
    order = torch.arange(kaib.depth)
    centres, others = rows[order[:5]], rows[order[5:]]
    query, kept = rows.types[0].clamp(max=20), torch.arange(3)

    def features(weight):
        weights = torch.full((kaib.depth - 5,), weight)
        return assembled(query, centres, others, kept, weights=weights).msa

    assert torch.equal(features(1.0), assembled(query, centres, others, kept).msa)
    alone = assembled(query, centres, Rows(others.types[:0], others.deletions[:0]), kept[:0]).msa
    torch.testing.assert_close(features(0.0), alone)
    assert 0 < float((features(0.5) - features(0.51)).abs().max()) < 0.05


def test_sequences_align_with_free_ends_and_gaps():
    assert aligned("ACDEF", "CDE").tolist() == [[1, 0], [2, 1], [3, 2]]
    pairs = dict(aligned("ACDEFGHIKL", "ACDGHIKL").tolist())
    assert [pairs.get(i) for i in (0, 1, 2, 5, 6, 9)] == [0, 1, 2, 3, 4, 7]
    assert len(aligned("AC", "")) == 0


def test_a_template_lies_on_the_query_residue_by_residue(reference, kaib):
    structure = read(reference / "2qkeE.pdb")
    templates = templates_of([structure], kaib.query)
    there = templates.atom_presence[0, :, 1] > 0
    assert int(there.sum()) > 0.9 * len(kaib)
    same = templates.residue_types[0] == numbered(kaib).types[0]
    assert bool(same[there].all())
    topology = structure.topology
    first = int(there.nonzero()[0])
    carbon = topology.atom_names == "CA"
    torch.testing.assert_close(templates.positions[0, first, 1], structure.model(0).coords[carbon][0].float())
    with pytest.raises(ConfigError, match="too few to align"):
        templates_of([structure], "W" * 50)
