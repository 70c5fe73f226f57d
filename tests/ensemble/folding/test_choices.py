"""Which rows are chosen, and what their clusters are held against."""

from dataclasses import replace

import pytest
import torch

from motet.cluster import adjusted_rand
from motet.ensemble.folding import (
    PERTURBATIONS,
    AlignmentClusters,
    Hypotheses,
    View,
    find_switches,
    matched,
    weigh,
)
from motet.ensemble.folding.alignment_clusters import dbscan
from motet.ensemble.folding.hypotheses import Plateau, plateau_of, random_twin, responsibilities
from motet.ensemble.folding.perturbations import named
from motet.ensemble.folding.weighing import log_proposal
from motet.errors import ConfigError
from motet.fold import AlphaFold, preset
from motet.fold.alignment import Rows


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def families(each=20, columns=60, kinds=3, changed=4):
    """A query, and rows of planted families: each family a sequence, each row a few letters off it."""
    draws = seeded(1)
    parents = torch.randint(20, (kinds, columns), generator=draws)
    types = parents.repeat_interleave(each, 0)
    for row in types:
        row[torch.randperm(columns, generator=draws)[:changed]] = torch.randint(20, (changed,), generator=draws)
    types = torch.cat((parents[:1], types))
    truth = torch.arange(kinds).repeat_interleave(each)
    return Rows(types, torch.zeros(types.shape)), truth


def view(rows, **more):
    return View(rows=rows, clusters=8, extra=16, recycles=0, seed=5, **more)


def hypotheses(depth, states=2):
    weights = torch.rand(depth, states, generator=seeded())
    plateau = Plateau((1, 2, 2), 1, 2, torch.zeros(depth, dtype=torch.long))
    return Hypotheses(weights, plateau, (0.0,), (0.0,), 1 / 3, torch.arange(depth))


def test_planted_families_are_the_clusters():
    rows, truth = families()
    labels, radius = AlignmentClusters(radius=4.5).labels(rows, seeded())
    assert radius == 4.5
    assert labels[0] == -1  # the query is in none
    assert adjusted_rand(labels[1:], truth) == 1


def test_the_radius_with_most_clusters_mixes_no_families():
    rows, truth = families()
    labels, radius = AlignmentClusters(scanned=1.0).labels(rows, seeded())
    assert 3 <= radius <= 20
    assert int(labels.max()) + 1 >= 3
    for cluster in range(int(labels.max()) + 1):
        assert len(truth[labels[1:] == cluster].unique()) == 1


def test_dbscan_is_scikit_learns():
    sklearn = pytest.importorskip("sklearn.cluster")
    points = torch.randn(300, 2, generator=seeded(3), dtype=torch.float64)
    near = torch.cdist(points, points) <= 0.25
    ours = dbscan(near, 4)
    theirs = torch.from_numpy(sklearn.DBSCAN(eps=0.25, min_samples=4).fit(points.numpy()).labels_)
    assert torch.equal(ours == -1, theirs == -1)
    core = near.sum(-1) >= 4
    assert adjusted_rand(ours[core], theirs[core]) == 1


def test_points_on_a_chain_are_one_cluster_and_a_far_one_is_noise():
    places = torch.tensor([0.0, 1, 2, 3, 4, 50])
    near = (places[:, None] - places).abs() <= 1
    assert dbscan(near, 2).tolist() == [0, 0, 0, 0, 0, -1]


def test_gapped_rows_are_left_out():
    rows, _ = families()
    types = rows.types.clone()
    types[5, :30] = 21
    assert AlignmentClusters(scanned=1.0).labels(Rows(types, rows.deletions), seeded())[0][5] == -1


@pytest.mark.parametrize("name", list(PERTURBATIONS))
def test_members_are_the_same_each_time_and_keep_the_query(name):
    rows, _ = families()
    seen = view(rows, hypotheses=hypotheses(61), leaders=torch.arange(61.0))
    one, two = (PERTURBATIONS[name].members(seen, 6) for _ in range(2))
    assert one
    assert [m.described() for m in one] == [m.described() for m in two]
    assert {m.perturbation for m in one} == {name}
    for member in one:
        if member.weights is not None:
            assert member.weights[0] == 1
            assert bool(((member.weights >= 0) & (member.weights <= 1)).all())


def test_no_hypothesis_makes_no_token_members():
    rows, _ = families()
    assert PERTURBATIONS["tokens"].members(view(rows, hypotheses=hypotheses(61, 1)), 6) == ()
    assert PERTURBATIONS["leaders"].members(view(rows), 6) == ()
    with pytest.raises(ConfigError, match="no perturbation 'magic'"):
        named(["magic"])


def test_a_control_has_the_depth_of_what_it_controls_and_other_rows():
    rows, _ = families()
    members = PERTURBATIONS["clusters"].members(view(rows), 3) + PERTURBATIONS["seeds"].members(view(rows), 2)
    controls = matched(members)
    assert len(controls) == 3  # seeds choose no rows
    for member, control in zip(members, controls, strict=False):
        assert control.control
        assert control.depth == member.depth
        assert control.weights[0] == 1
        assert not torch.equal(control.weights, member.weights)


def tokens_of_states(blocks=8, rows=60, gathered=(2, 7)):
    """Tokens in one cloud, in two clouds for some blocks, then in one cloud again."""
    draws = seeded(2)
    truth = torch.arange(rows) % 2
    side = torch.zeros(32)
    side[0] = 8
    cloud = torch.randn(blocks, rows, 32, generator=draws)
    cloud[gathered[0] : gathered[1]] += (2 * truth - 1)[:, None] * side
    return cloud, truth


def test_a_planted_plateau_is_found():
    tokens, truth = tokens_of_states()
    found = plateau_of(tokens)
    assert (found.first, found.length) == (2, 5)
    assert found.counts[2:7] == (2,) * 5
    assert adjusted_rand(found.labels, truth) == 1
    assert found.persistence == 5 / 8


def test_one_cloud_has_no_plateau():
    found = plateau_of(torch.randn(4, 60, 32, generator=seeded()))
    assert found.length == 0
    assert found.labels.tolist() == [0] * 60


def test_a_random_twin_has_the_same_numbers_elsewhere_and_touches_no_global_state():
    config = preset("model_3_ptm")
    config = replace(
        config, evoformer=replace(config.evoformer, blocks=1), extra_msa=replace(config.extra_msa, blocks=1)
    )
    model = AlphaFold(config)
    state, before = torch.get_rng_state(), {name: one.clone() for name, one in model.named_parameters()}
    twin, again = random_twin(model, 3), random_twin(model, 3)
    assert torch.equal(torch.get_rng_state(), state)
    moved = 0
    for (name, mine), theirs, repeated in zip(
        model.named_parameters(), twin.parameters(), again.parameters(), strict=True
    ):
        assert torch.equal(mine, before[name])
        assert torch.equal(theirs, repeated)
        assert torch.equal(mine.flatten().sort().values, theirs.flatten().sort().values)
        moved += not torch.equal(mine, theirs)
    assert moved > 100


def test_responsibilities_are_soft_and_sum_to_one():
    points = torch.tensor([[0.0], [0.2], [1.0], [2.0], [2.2]], dtype=torch.float64)
    found = responsibilities(points, torch.tensor([0, 0, 0, 1, 1]))
    torch.testing.assert_close(found.sum(-1), torch.ones(5, dtype=torch.float64))
    assert found[0, 0] > found[2, 0] > found[3, 0]


def test_switching_pairs_are_those_whose_distances_differ():
    distograms = torch.zeros(4, 6, 6, 8)
    distograms[..., 0] = 1
    distograms[2:, 0, 5] = distograms[2:, 5, 0] = torch.nn.functional.one_hot(torch.tensor(4), 8).float()
    switches = find_switches(distograms, torch.tensor([0, 0, 1, 1]))
    pairs, values = switches.strongest(2)
    assert pairs[0].tolist() == [0, 5]
    assert values.tolist() == pytest.approx([1, 0], abs=1e-6)
    assert switches.residues.argmax() in (0, 5)
    assert find_switches(distograms, torch.zeros(4, dtype=torch.long)) is None


def test_members_drawn_from_a_gaussian_get_its_boltzmann_weights_back():
    """Energy -kT ln p of a narrower Gaussian than the proposal: the mean square comes out as the target's."""
    points = 1.2 * torch.randn(3000, 1, generator=seeded(4), dtype=torch.float64)
    energies = 0.5 * points[:, 0].square() * 0.0019872041 * 300
    found = weigh(energies, points, torch.zeros(3000, dtype=torch.long), 300.0)
    assert not found.refused
    assert found.effective > 1500
    assert float((found.weights * points[:, 0].square()).sum()) == pytest.approx(1, rel=0.1)


def test_populations_are_refused_where_few_members_carry_all():
    points = torch.randn(100, 2, generator=seeded(4), dtype=torch.float64)
    found = weigh(50 * torch.rand(100, generator=seeded(5)), points, torch.zeros(100, dtype=torch.long), 300.0)
    assert found.refused
    assert "refused" in found.reason
    torch.testing.assert_close(found.weights, torch.full((100,), 0.01, dtype=torch.float64))


def test_the_proposal_of_one_state_is_its_gaussian():
    points = torch.randn(200, 2, generator=seeded(), dtype=torch.float64)
    covariance = torch.cov(points.T, correction=0)
    covariance = covariance + 0.05 * torch.diag(covariance.diagonal())
    expected = torch.distributions.MultivariateNormal(points.mean(0), covariance).log_prob(points)
    torch.testing.assert_close(log_proposal(points, torch.zeros(200, dtype=torch.long)), expected)
