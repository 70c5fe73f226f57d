import torch

from motet.ensemble.loops.ranking import colony_scores


def traces(*places):
    """Loops of four atoms, shifted along x."""
    base = torch.tensor([[0.0, 0, 0], [1.5, 0, 0], [1.5, 1.5, 0], [0, 1.5, 0]], dtype=torch.float64)
    return torch.stack([base + torch.tensor([x, 0.0, 0.0], dtype=torch.float64) for x in places])


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_far_apart_the_energy_alone_decides():
    energies = numbers(3.0, -1.0, 2.0, 0.0)
    score = colony_scores(energies, numbers(5, 5, 5, 5), traces(0, 50, 100, 150))
    assert score.argsort().tolist() == energies.argsort().tolist()


def test_of_equal_energies_those_with_more_neighbours_come_first():
    score = colony_scores(numbers(1, 1, 1), numbers(10, 30, 20), traces(0, 50, 100))
    assert score.argsort().tolist() == [1, 2, 0]


def test_a_model_among_others_is_better_than_one_alone():
    score = colony_scores(numbers(1, 1, 1, 1), numbers(0, 0, 0, 0), traces(0, 0.3, 0.6, 40))
    assert score.argmax() == 3
    assert score.argmin() == 1


def test_order_of_models_and_shifts_of_energy_and_frame_do_not_matter():
    random = torch.Generator().manual_seed(0)
    energies, neighbours = torch.rand(2, 20, generator=random, dtype=torch.float64).unbind()
    places = traces(*(5 * torch.rand(20, generator=random)).tolist())
    score = colony_scores(energies, neighbours, places)
    order = torch.randperm(20, generator=random)
    torch.testing.assert_close(colony_scores(energies[order], neighbours[order], places[order]), score[order])
    torch.testing.assert_close(colony_scores(7 * energies - 300, neighbours + 3, places + 9.0), score)


def test_one_model_and_none_have_scores():
    assert colony_scores(numbers(4.0), numbers(2.0), traces(0)).isfinite().all()
    assert colony_scores(numbers(), numbers(), traces(0)[:0]).shape == (0,)


def test_one_absurd_energy_does_not_level_the_others():
    far = traces(*range(0, 500, 50))
    energies = numbers(*range(9), 1e9)
    score = colony_scores(energies, torch.zeros(10, dtype=torch.float64), far)
    assert score[1] - score[0] > 0.1
