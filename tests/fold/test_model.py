"""Laws of the whole network, on random parameters."""

from dataclasses import replace

import pytest
import torch

from motet.errors import ConfigError
from motet.fold import AlphaFoldConfig, Features, Recycling, StackConfig, fold
from motet.fold.frames import Frames
from motet.fold.recycling import distance_change
from motet.geometry import Rigid, distance
from motet.nn import Execution

from .conftest import MODULES_MODEL, PARITY_MODEL, features_of


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(MODULES_MODEL).double()


@pytest.fixture(scope="module")
def features(modules):
    return features_of(modules, torch.float64)


@pytest.fixture(scope="module")
def plain(model, features):
    with torch.inference_mode():
        return model(features)


def close(first, second, atol):
    for name in ("pair", "single", "msa"):
        ours, theirs = getattr(first.representations, name), getattr(second.representations, name)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)
    torch.testing.assert_close(first.folded.positions, second.folded.positions, rtol=0, atol=atol)


def test_a_tight_memory_budget_changes_nothing(model, features, plain):
    with torch.inference_mode():
        close(model(features, execution=Execution(memory_budget=2**13)), plain, 1e-9)


def test_a_tight_memory_budget_is_within_rounding_in_single_precision(make_model, features):
    model, features = make_model(MODULES_MODEL), features.to(dtype=torch.float32)
    with torch.inference_mode():
        whole, tight = model(features), model(features, execution=Execution(memory_budget=2**13))
    for name in ("pair", "single", "msa"):
        ours, theirs = getattr(whole.representations, name), getattr(tight.representations, name)
        assert float((ours - theirs).abs().max()) < 1e-5 * float(ours.abs().max())


def test_a_batch_of_proteins_is_a_loop_over_them(model, features, plain):
    templates = features.templates
    double = replace(
        Features(**{name: _twice(value) for name, value in vars(features).items() if name != "templates"}),
        templates=type(templates)(**{name: _twice(value) for name, value in vars(templates).items()}),
    )
    with torch.inference_mode():
        both = model(double)
    assert both.folded.positions.shape == (2, 12, 37, 3)
    assert both.plddt.shape == (2, 12)
    for i in (0, 1):
        torch.testing.assert_close(both.folded.positions[i], plain.folded.positions, rtol=0, atol=1e-9)
        torch.testing.assert_close(both.representations.pair[i], plain.representations.pair, rtol=0, atol=1e-9)
    torch.testing.assert_close(both.aligned.tm_score[0], plain.aligned.tm_score)


def _twice(tensor):
    return torch.stack((tensor, tensor))


def test_padding_residues_changes_nothing_for_the_others(model, features, plain):
    def padded(tensor, dims, by=3):
        for dim in dims:
            shape = list(tensor.shape)
            shape[dim] = by
            tensor = torch.cat((tensor, tensor.new_zeros(shape)), dim)
        return tensor

    last = {"residue_types", "residue_index", "residue_presence", "msa_presence"}
    last |= {"extra_types", "extra_has_deletion", "extra_deletions", "extra_presence"}
    values = {name: padded(getattr(features, name), [-1]) for name in last}
    values |= {name: padded(getattr(features, name), [-2]) for name in ("target", "msa")}
    some = features.templates
    templates = replace(
        some,
        residue_types=padded(some.residue_types, [-1]),
        positions=padded(some.positions, [-3]),
        atom_presence=padded(some.atom_presence, [-2]),
    )
    with torch.inference_mode():
        long = model(Features(**values, templates=templates))
    torch.testing.assert_close(long.folded.positions[:12], plain.folded.positions, rtol=0, atol=1e-7)
    torch.testing.assert_close(long.plddt[:12], plain.plddt, rtol=0, atol=1e-7)
    torch.testing.assert_close(long.confidence, plain.confidence, rtol=0, atol=1e-7)
    torch.testing.assert_close(long.aligned.tm_score, plain.aligned.tm_score, rtol=0, atol=1e-7)


def without_rows(features, rows, extra):
    return replace(
        features,
        msa=features.msa[rows],
        msa_presence=features.msa_presence[rows],
        extra_types=features.extra_types[extra],
        extra_has_deletion=features.extra_has_deletion[extra],
        extra_deletions=features.extra_deletions[extra],
        extra_presence=features.extra_presence[extra],
    )


def test_row_weights_of_zero_and_one_are_deleting_rows(model, features):
    """Profiles stay as they were: it is the same features, with fewer rows."""
    rows = torch.tensor([1.0, 0, 1, 1, 0, 1], dtype=torch.float64)
    extra = torch.tensor([1.0, 1, 0, 1, 0, 1, 1, 0, 1, 1], dtype=torch.float64)
    with torch.inference_mode():
        weighted = model(features.weighted(rows, extra))
        deleted = model(without_rows(features, rows > 0, extra > 0))
    torch.testing.assert_close(weighted.representations.pair, deleted.representations.pair, rtol=0, atol=1e-10)
    torch.testing.assert_close(weighted.folded.positions, deleted.folded.positions, rtol=0, atol=1e-10)
    kept = weighted.representations.msa[rows > 0]
    torch.testing.assert_close(kept, deleted.representations.msa, rtol=0, atol=1e-10)


def test_row_weights_interpolate_smoothly_and_have_a_gradient(model, features, plain):
    def moved(weight):
        rows = torch.tensor([1.0, weight, 1, 1, weight, 1], dtype=torch.float64)
        with torch.inference_mode():
            return model(features.weighted(rows)).distogram_logits

    step = (moved(0.5) - moved(0.51)).abs().max()
    assert 0 < float(step) < 0.2
    torch.testing.assert_close(moved(1.0), plain.distogram_logits, rtol=0, atol=1e-12)
    rows = torch.tensor([1.0, 0.5, 1, 1, 0.0, 1], dtype=torch.float64, requires_grad=True)
    model(features.weighted(rows)).folded.positions.square().sum().backward()
    assert rows.grad.isfinite().all()
    assert rows.grad[1] != 0
    model.zero_grad()


@pytest.mark.parametrize(("rows", "match"), [([0.5, 1], "is the query"), ([1, 1.5], "between 0 and 1")])
def test_weights_that_make_no_sense_are_refused(features, rows, match):
    with pytest.raises(ConfigError, match=match):
        features.weighted(torch.tensor(rows, dtype=torch.float64))


def test_recycling_equals_passes_by_hand(model, features, plain):
    with torch.inference_mode():
        second = model(features, plain.recycled)
        found = fold(model, features, Recycling(recycles=1))
    close(found.prediction, second, 1e-12)
    assert len(found.changes) == 2
    assert not found.converged


def test_recycling_stops_as_soon_as_the_structure_does(model, features):
    with torch.inference_mode():
        found = fold(model, features, Recycling(recycles=20, tolerance=1e3))
    assert found.converged
    assert len(found.changes) == 1


def test_each_pass_may_read_other_features(model, features, plain):
    seen = []

    def draw(number):
        seen.append(number)
        return features

    with torch.inference_mode():
        fold(model, draw, Recycling(recycles=1))
    assert seen == [0, 1]


def test_change_of_distances_is_its_root_mean_square():
    positions = torch.zeros(1, 4, 37, 3, dtype=torch.float64)
    moved = positions.clone()
    moved[0, 3] = 2.0
    presence = torch.ones(1, 4, dtype=torch.float64)
    # 6 of 16 pairs change, by √12
    torch.testing.assert_close(
        distance_change(positions, moved, presence), torch.tensor([4.5**0.5], dtype=torch.float64)
    )


def test_dropout_is_drawn_from_the_generator_alone(model, features, plain):
    def noisy(seed):
        with torch.inference_mode():
            return model(features, execution=Execution(dropout=torch.Generator().manual_seed(seed)))

    first, again, other = noisy(1), noisy(1), noisy(2)
    close(first, again, 0)
    assert not torch.equal(first.folded.positions, plain.folded.positions)
    assert not torch.equal(first.folded.positions, other.folded.positions)


def test_templates_given_to_a_model_that_reads_none_are_refused(make_model, features):
    with pytest.raises(ConfigError, match="reads no templates"):
        make_model(PARITY_MODEL)(features)


def test_a_model_without_templates_given_reads_none(model, features):
    with torch.inference_mode():
        assert model(replace(features, templates=None)).plddt.isfinite().all()


def test_atoms_that_do_not_exist_are_at_the_origin(plain):
    gone = plain.folded.atom_presence == 0
    assert not plain.folded.positions[gone].any()


def test_residues_have_the_ideal_backbone(plain):
    n, ca, c = plain.folded.positions[:, :3].unbind(1)
    torch.testing.assert_close(distance(n, ca), torch.full((12,), 1.46, dtype=torch.float64), rtol=0, atol=0.01)
    torch.testing.assert_close(distance(ca, c), torch.full((12,), 1.525, dtype=torch.float64), rtol=0, atol=0.01)


def test_frames_stay_proper_rotations_and_move_in_themselves():
    generator = torch.Generator().manual_seed(0)
    frames = Frames.at_origin(torch.zeros(2, 5, 1, dtype=torch.float64))
    for _ in range(20):
        frames = frames.updated(torch.randn(2, 5, 6, generator=generator, dtype=torch.float64))
    rotation = frames.rotation
    eye = torch.eye(3, dtype=torch.float64).expand_as(rotation)
    torch.testing.assert_close(rotation @ rotation.mT, eye)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(2, 5, dtype=torch.float64))
    update = torch.tensor([0.1, -0.2, 0.3, 1, 2, 3], dtype=torch.float64).expand(2, 5, 6)
    step = Frames.at_origin(frames.translation).updated(update)
    expected = Rigid(rotation, frames.translation) @ Rigid(step.rotation, step.translation)
    found = frames.updated(update)
    torch.testing.assert_close(found.rotation, expected.rotation)
    torch.testing.assert_close(found.translation, expected.translation)


def test_stacks_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="does not divide into 3 heads"):
        StackConfig(msa_heads=3)
    with pytest.raises(ConfigError, match="share one pair representation"):
        AlphaFoldConfig(evoformer=StackConfig(c_pair=64))
