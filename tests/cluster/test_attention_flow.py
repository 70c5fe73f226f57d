"""The limits that Geshkovski et al. (2023, 2025) prove for tokens that attend to each other."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull

from motet.cluster import AttentionFlow, Space
from motet.cluster.attention_flow import booleanness, interaction_energy, leadership, orthogonal_speed
from motet.errors import ConfigError, NonFiniteError

DOUBLE = torch.float64
SEEDS = range(3)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def places(points, apart=0.05):
    """One point of each group of points that lie within `apart`."""
    found = []
    for point in points:
        if all(float((point - other).norm()) > apart for other in found):
            found.append(point)
    return torch.stack(found)


def numerical_rank(matrix):
    return int(torch.linalg.matrix_rank(matrix, tol=1e-2))


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_line_two_leaders_get_all_the_attention(seed):
    tokens, flow = draw(40, 1, seed=seed), AttentionFlow(space=Space.RESCALED, step=0.1)
    attention = flow.attention(flow.moved(tokens, 12.0), time=12.0)
    assert numerical_rank(attention) == 2
    assert int((attention.amax(-1) > 0.99).sum()) >= 39  # the theorem allows one exception
    assert set(attention.argmax(-1).tolist()) == {int(tokens.argmin()), int(tokens.argmax())}
    leaders = leadership(attention).topk(2).indices
    assert set(leaders.tolist()) == {int(tokens.argmin()), int(tokens.argmax())}


@pytest.mark.parametrize("seed", SEEDS)
def test_with_values_as_they_are_tokens_end_at_the_corners_of_a_polytope_or_at_zero(seed):
    flow = AttentionFlow(space=Space.RESCALED, step=0.1)
    tokens = flow.moved(draw(40, 2, seed=seed), 15.0)
    limits = places(tokens)
    assert 3 <= len(limits) <= 8
    assert numerical_rank(flow.attention(tokens, time=15.0)) == len(limits)
    corners = ConvexHull(limits.numpy()).vertices
    inside = np.setdiff1d(np.arange(len(limits)), corners)
    assert all(float(limits[i].norm()) < 0.05 for i in inside)
    assert booleanness(flow.attention(tokens, time=15.0)) > 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_a_simple_leading_value_draws_tokens_to_at_most_three_parallel_planes(seed):
    basis = draw(3, 3, seed=9)
    inverse = torch.linalg.inv(basis)
    value = basis @ torch.diag(torch.tensor([1.0, 0.3, -0.2], dtype=DOUBLE)) @ inverse
    flow = AttentionFlow(space=Space.RESCALED, value=value, step=0.1)
    tokens = flow.moved(draw(40, 3, seed=seed), 12.0)
    assert 2 <= len(places((tokens @ inverse[0])[:, None])) <= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_a_multiple_leading_value_draws_tokens_to_few_points_of_its_space(seed):
    value = torch.diag(torch.tensor([1.0, 1, -0.5], dtype=DOUBLE))
    flow = AttentionFlow(space=Space.RESCALED, value=value, step=0.1)
    limits = places(flow.moved(draw(40, 3, seed=seed), 15.0)[:, :2])
    assert 2 <= len(limits) <= 5


@pytest.mark.parametrize("seed", SEEDS)
def test_negative_values_draw_all_tokens_slowly_to_zero(seed):
    flow = AttentionFlow(space=Space.FLAT, value=-torch.eye(2, dtype=DOUBLE))
    tokens = draw(40, 2, seed=seed)
    early = flow.moved(tokens, 10.0)
    late = flow.moved(early, 30.0, since=10.0)
    farthest = [float(x.norm(dim=-1).max()) for x in (tokens, early, late)]
    assert farthest[0] > farthest[1] > farthest[2]
    assert 0.2 < farthest[2] < 0.4  # 0.30 in the published check


def test_on_the_sphere_all_tokens_meet_and_the_energy_only_climbs():
    flow, tokens = AttentionFlow(beta=2.0, step=0.1), torch.nn.functional.normalize(draw(32, 4), dim=-1)
    energies = [interaction_energy(tokens, 2.0)]
    for _ in range(20):
        tokens = flow.moved(tokens, 1.0)
        energies.append(interaction_energy(tokens, 2.0))
    assert (torch.stack(energies).diff() > -1e-12).all()
    assert float((tokens @ tokens.mT).min()) > 1 - 1e-5


def test_tokens_in_a_hemisphere_meet_exponentially_fast():
    tokens = draw(8, 16).abs()
    spreads = []
    for time in (6.0, 9.0, 12.0):
        moved = AttentionFlow().moved(tokens, time)
        spreads.append(float((moved - moved.mean(0)).norm()))
    first, second = (math.log(a / b) / 3 for a, b in pairwise(spreads))
    assert first > 0.5
    assert second == pytest.approx(first, rel=0.02)


@pytest.mark.parametrize("beta", [1.0, 4.0])
@pytest.mark.parametrize("time", [1.0, 2.0, 4.0])
def test_orthogonal_tokens_follow_their_equation_to_five_digits(beta, time):
    tokens = AttentionFlow(beta=beta).moved(torch.eye(16, dtype=DOUBLE), time)
    cosine, step = torch.zeros((), dtype=DOUBLE), 0.01
    for _ in range(round(time / step)):
        a = orthogonal_speed(cosine, 16, beta)
        b = orthogonal_speed(cosine + step / 2 * a, 16, beta)
        c = orthogonal_speed(cosine + step / 2 * b, 16, beta)
        d = orthogonal_speed(cosine + step * c, 16, beta)
        cosine = cosine + step / 6 * (a + 2 * b + 2 * c + d)
    between = (tokens @ tokens.mT)[~torch.eye(16, dtype=torch.bool)]
    torch.testing.assert_close(between, cosine.expand_as(between), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("beta", "fewest", "most"), [(1.0, 1, 1), (9.0, 3, 4), (36.0, 6, 7), (81.0, 9, 11)])
def test_colder_tokens_rest_in_more_clusters(beta, fewest, most):
    angle = 2 * math.pi * torch.rand(3, 64, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    circles = AttentionFlow(beta=beta).moved(torch.stack((angle.cos(), angle.sin()), -1), 30.0)
    for tokens in circles:
        assert fewest <= len(places(tokens, 0.1)) <= most


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_that_see_only_those_before_them_meet_at_the_first(seed):
    query, key = draw(3, 3, seed=seed + 50), draw(3, 3, seed=seed + 70)
    start = draw(12, 3, seed=seed)
    flow = AttentionFlow(query=query, key=key, causal=True, step=0.4)
    tokens = flow.moved(start, 240.0)
    first = torch.nn.functional.normalize(start[0], dim=-1)
    torch.testing.assert_close(tokens[0], first)  # it sees itself only, and stays
    assert int((tokens @ first > 0.99).sum()) >= 11


@pytest.mark.parametrize("space", list(Space))
def test_a_batch_is_a_loop(space):
    tokens, values = draw(4, 9, 3), draw(4, 3, 3, seed=1)
    both = AttentionFlow(space=space, value=values, beta=2.0).moved(tokens, 1.0)
    for i in range(4):
        one = AttentionFlow(space=space, value=values[i], beta=2.0).moved(tokens[i], 1.0)
        torch.testing.assert_close(both[i], one)


def test_rescaled_tokens_are_flat_tokens_seen_through_the_growth():
    tokens, value = draw(9, 3), 0.5 * draw(3, 3, seed=1)
    flat = AttentionFlow(space=Space.FLAT, value=value, step=0.01).moved(tokens, 1.5)
    rescaled = AttentionFlow(space=Space.RESCALED, value=value, step=0.01).moved(tokens, 1.5)
    torch.testing.assert_close(rescaled, flat @ torch.matrix_exp(-1.5 * value).mT)


def test_a_heavy_token_counts_as_several():
    tokens = draw(5, 3)
    masses = torch.tensor([3.0, 1, 1, 1, 1], dtype=DOUBLE)
    several = torch.cat((tokens[:1], tokens[:1], tokens))
    flow = AttentionFlow(beta=3.0)
    torch.testing.assert_close(flow.moved(tokens, 2.0, masses), flow.moved(several, 2.0)[2:])


def test_a_smaller_step_changes_nothing():
    tokens = draw(20, 3)
    coarse, fine = (AttentionFlow(beta=4.0, step=step).moved(tokens, 5.0) for step in (0.1, 0.02))
    torch.testing.assert_close(coarse, fine, rtol=0, atol=1e-5)


def test_what_cannot_be_integrated_is_refused():
    with pytest.raises(NonFiniteError, match="rescale"):
        AttentionFlow(space=Space.FLAT, step=1.0).moved(draw(4, 2), 3000.0)
    with pytest.raises(ConfigError, match="step=0"):
        AttentionFlow(step=0.0)
    with pytest.raises(ConfigError, match="E_β"):
        interaction_energy(draw(4, 2), 0.0)
