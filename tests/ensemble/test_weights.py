"""Boltzmann's factor and sample sizes."""

import pytest
import torch

from motet.ensemble import boltzmann_weights, effective_sample_size
from motet.ensemble.sampling_quality import effective_draws, split_r_hat
from motet.units import BOLTZMANN


def test_two_levels_are_populated_by_boltzmann():
    gap = BOLTZMANN * 300 * torch.tensor(3.0).log()
    weights = boltzmann_weights(torch.stack((gap * 0, gap)), 300.0)
    torch.testing.assert_close(weights, torch.tensor([0.75, 0.25]))


def test_the_proposal_is_divided_out():
    energies = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    log_proposal = -energies / (BOLTZMANN * 300)
    torch.testing.assert_close(
        boltzmann_weights(energies, 300.0, log_proposal), torch.full((50,), 0.02, dtype=torch.float64)
    )


def test_huge_energies_overflow_nothing():
    assert boltzmann_weights(torch.tensor([-1e6, -1e6, 1e6]), 300.0).tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_equal_weights_are_worth_their_number():
    assert effective_sample_size(torch.full((40,), 1 / 40)) == pytest.approx(40)
    assert effective_sample_size(torch.tensor([1.0, 0.0, 0.0])) == pytest.approx(1)


def correlated(chains, draws, memory, seed=0):
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(draws, chains, dtype=torch.float64, generator=random)
    series = [noise[0]]
    for one in noise[1:]:
        series.append(memory * series[-1] + (1 - memory**2) ** 0.5 * one)
    return torch.stack(series).T


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_correlated_draws_are_worth_what_theory_says(memory):
    chains = correlated(8, 4000, memory)
    expected = chains.numel() * (1 - memory) / (1 + memory)
    assert effective_draws(chains) == pytest.approx(expected, rel=0.15)


def test_chains_that_agree_have_r_hat_near_one_and_others_not():
    chains = correlated(4, 1000, 0.3)
    assert split_r_hat(chains) == pytest.approx(1.0, abs=0.02)
    assert split_r_hat(chains + 3 * torch.arange(4)[:, None]) > 2
    drifting = chains + torch.linspace(0, 5, 1000)
    assert split_r_hat(drifting) > 1.3


def test_too_few_draws_say_nothing():
    assert split_r_hat(torch.zeros(4, 3)) != split_r_hat(torch.zeros(4, 3))  # NaN
