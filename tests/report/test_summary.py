import pytest
import torch

from motet.report.summary import term_summaries, weighted_quantiles


def test_equal_weights_give_the_usual_mean_and_deviation(ensemble):
    for column, summary in enumerate(term_summaries(ensemble)):
        values = ensemble.energies[:, column].double()
        assert summary.mean == pytest.approx(float(values.mean()), abs=1e-5)
        assert summary.deviation == pytest.approx(float(values.std(correction=0)), abs=1e-5)


def test_a_weight_counts_as_so_many_copies():
    values = torch.tensor([3.0, 1.0, 2.0, 7.0], dtype=torch.float64)
    copies = torch.tensor([2, 10, 5, 3])
    once = weighted_quantiles(values, copies / copies.sum())
    assert once == weighted_quantiles(
        values.repeat_interleave(copies), torch.full((20,), 0.05, dtype=torch.float64)
    )


def test_one_value_is_all_its_quantiles():
    assert weighted_quantiles(torch.tensor([4.0]), torch.tensor([1.0])) == (4.0,) * 4
