"""The flow: its path, its network and its losses."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.errors import ConfigError
from motet.fold.flow import FlowConfig, FlowNetwork, smooth_bins
from motet.fold.flow_inputs import PROFILE_LETTERS, FlowInputs, profile_in_order, profile_of, stacked
from motet.fold.flow_losses import FlowTarget, backbone_atoms, fape, flow_losses, total
from motet.fold.flow_path import FlowPath
from motet.fold.flow_weights import load_flow
from motet.geometry import Rigid, random_rotations, rotation_of_turn
from motet.io import Alignment

SMALL = FlowConfig(
    c_single=24, c_pair=8, c_triangle=4, pair_blocks=1, blocks=2, heads=2, c_head=4, waves=3, bins=6
)
PATH = FlowPath()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def perturbed(config=SMALL):
    """A network whose weights are random in all places."""
    network = FlowNetwork(config).double()
    draws = seeded(7)
    for value in network.parameters():
        value.data = 0.3 * torch.randn(value.shape, generator=draws, dtype=torch.float64)
    return network


def protein(residues, seed):
    draws = seeded(seed)
    inputs = FlowInputs.of_sequence(torch.randint(20, (residues,), generator=draws), dtype=torch.float64)
    profile = torch.rand(residues, 20, generator=draws, dtype=torch.float64)
    inputs = inputs.with_profile(profile / profile.sum(-1, keepdim=True))
    noise = PATH.noise(inputs, draws)
    amplitude = torch.tensor(1.5, dtype=torch.float64)
    return inputs.with_reference(noise.translation.roll(3, 0), amplitude), noise


def answer(network, inputs, noised, level=0.3, previous=None):
    levels = torch.full(inputs.presence.shape[:-1], level, dtype=torch.float64)
    with torch.no_grad():
        return network(inputs, noised, levels, previous)


def test_what_is_predicted_turns_and_shifts_with_what_is_seen():
    network, (inputs, noised) = perturbed(), protein(12, 1)
    turn = random_rotations((), seeded(2), torch.float64)
    motion = Rigid(turn, torch.tensor([4.0, -7.0, 2.0], dtype=torch.float64))
    level = torch.tensor(0.3, dtype=torch.float64)
    # places are scaled by the level before they are read, so that is how the motion is seen
    seen = Rigid(turn, motion.translation * (1 - level))
    previous = noised.translation
    here = answer(network, inputs, noised, previous=previous)
    there = answer(network, inputs, seen @ noised, previous=motion.apply(previous[None])[0])
    wanted = motion @ here.clean
    torch.testing.assert_close(there.clean.translation, wanted.translation)
    torch.testing.assert_close(there.clean.rotation, wanted.rotation)
    torch.testing.assert_close(there.torsions, here.torsions)


def test_a_batch_equals_a_loop_whatever_the_padding():
    network = perturbed()
    each = [protein(length, seed) for length, seed in ((9, 3), (14, 4))]
    together = stacked([inputs for inputs, _ in each])
    turns = torch.eye(3, dtype=torch.float64).repeat(2, 14, 1, 1)
    places = torch.zeros(2, 14, 3, dtype=torch.float64)
    for row, (_, noised) in enumerate(each):
        turns[row, : noised.rotation.shape[0]] = noised.rotation
        places[row, : noised.rotation.shape[0]] = noised.translation
        places[row, noised.rotation.shape[0] :] = 55.0  # padding lies anywhere
    found = answer(network, together, Rigid(turns, places)).clean
    for row, (inputs, noised) in enumerate(each):
        alone = answer(network, inputs, noised).clean
        torch.testing.assert_close(found.translation[row, : len(alone.translation)], alone.translation)
        torch.testing.assert_close(found.rotation[row, : len(alone.translation)], alone.rotation)


def test_an_untrained_network_takes_the_noise_to_be_the_structure():
    inputs, noised = protein(10, 5)
    found = answer(FlowNetwork(SMALL).double(), inputs, noised, level=0.25).clean
    torch.testing.assert_close(found.translation, noised.translation / 0.75)
    torch.testing.assert_close(found.rotation, noised.rotation)


@pytest.mark.parametrize("name", ["profile", "reference", "numbers", "chains"])
def test_the_network_reads_all_that_it_is_told(name):
    network, (inputs, noised) = perturbed(), protein(10, 6)
    value = getattr(inputs, name)
    late = torch.arange(10) >= 5
    change = {
        "profile": lambda: value.roll(1, -1),
        "reference": lambda: 1.2 * value,
        "numbers": lambda: value + 7 * late,
        "chains": lambda: value + late,
    }[name]
    there = answer(network, replace(inputs, **{name: change()}), noised).clean.translation
    assert (there - answer(network, inputs, noised).clean.translation).abs().max() > 1e-6


def test_what_is_dropped_is_not_read():
    network, (inputs, noised) = perturbed(), protein(10, 6)
    none = torch.zeros((), dtype=torch.float64)
    bare = replace(inputs, profile_presence=none, reference_presence=none)
    other = replace(
        bare, profile=inputs.profile.roll(1, -1), reference=2 * inputs.reference, reference_noise=none + 9
    )
    first, second = (answer(network, one, noised).clean.translation for one in (bare, other))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_the_default_network_is_small_enough_to_ship():
    count = sum(value.numel() for value in FlowNetwork(FlowConfig()).parameters())
    assert 5e5 < count < 1e7


def test_the_path_leads_from_the_structure_to_the_noise_and_back_in_any_number_of_steps():
    _, noise = protein(8, 1)
    clean = Rigid(
        random_rotations((8,), seeded(9), torch.float64), torch.randn(8, 3, generator=seeded(4)).double()
    )
    level = torch.tensor(0.6, dtype=torch.float64)
    for end, share in ((clean, 0.0), (noise, 1.0)):
        here = PATH.between(clean, noise, level * 0 + share)
        torch.testing.assert_close(here.translation, end.translation)
        torch.testing.assert_close(here.rotation, end.rotation)
    noised = PATH.between(clean, noise, level)
    for target in (0.4, 0.1):
        back = PATH.onward(noised, clean, level, level * 0 + target)
        straight = PATH.between(clean, noise, level * 0 + target)
        torch.testing.assert_close(back.translation, straight.translation)
        torch.testing.assert_close(back.rotation, straight.rotation)


def test_noise_has_the_spread_it_says_and_is_shared_along_the_chain_only():
    inputs = FlowInputs.of_sequence(
        torch.zeros(4000, 3, dtype=torch.long), chains=torch.tensor([0, 0, 1]), dtype=torch.float64
    )
    places = FlowPath(spread=5.0, memory=2.0, shared=0.6).noise(inputs, seeded(1)).translation
    assert places.std().item() == pytest.approx(5.0, rel=0.02)
    bonded = (places[:, 0] * places[:, 1]).mean() / 25
    apart = (places[:, 1] * places[:, 2]).mean() / 25
    assert bonded.item() == pytest.approx(0.6 * torch.tensor(-0.5).exp().item(), abs=0.03)
    assert apart.item() == pytest.approx(0, abs=0.03)


def test_noise_of_a_protein_does_not_depend_on_padding_behind_it():
    inputs, _ = protein(6, 2)
    long = stacked([inputs, protein(9, 3)[0]])
    roots = PATH._along(long)[0, :6, :6]
    torch.testing.assert_close(roots, PATH._along(inputs))


def truth(residues=12, seed=3):
    draws = seeded(seed)
    frames = Rigid(
        random_rotations((residues,), draws, torch.float64),
        3.8 * torch.randn(residues, 3, generator=draws, dtype=torch.float64).cumsum(0),
    )
    psi = torch.nn.functional.normalize(torch.randn(residues, 2, generator=draws, dtype=torch.float64), dim=-1)
    return FlowTarget(frames, psi, torch.ones(residues, dtype=torch.float64))


def test_losses_of_the_truth_are_zero_but_for_what_is_wrong_with_the_truth():
    inputs, noised = protein(12, 1)
    target = truth()
    prediction = answer(FlowNetwork(SMALL).double(), inputs, noised)
    exact = replace(prediction, course=(target.frames,))
    level = torch.tensor(0.3, dtype=torch.float64)
    losses = flow_losses(exact, target, inputs, level, PATH)
    for name in ("flow", "turn", "distances", "chain"):
        assert losses[name].item() == pytest.approx(0, abs=1e-9)
    assert losses["fape"].item() == pytest.approx(1e-4, abs=1e-6)  # the root of what keeps it smooth
    assert losses["violations"] > 0.1  # a random chain has no peptide bonds


def test_fape_does_not_change_when_both_are_moved_and_sees_a_mirror_image():
    frames = truth().frames
    there = torch.ones(12, dtype=torch.float64)
    motion = Rigid(random_rotations((), seeded(1), torch.float64), torch.ones(3, dtype=torch.float64))
    assert fape(motion @ frames, frames, there).item() == pytest.approx(1e-3, abs=1e-6)
    assert fape(Rigid(frames.rotation, -frames.translation), frames, there) > 3


def test_a_proper_peptide_bond_is_no_violation():
    inputs = FlowInputs.of_sequence(torch.zeros(2, dtype=torch.long), dtype=torch.float64)
    # the second residue where a trans peptide bond puts it: found by least squares on its three distances
    turn = torch.tensor([0.1, 0.2, 2.5], dtype=torch.float64, requires_grad=True)
    place = torch.tensor([1.5, 3.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([turn, place], lr=0.5, max_iter=200, line_search_fn="strong_wolfe")

    def frames():
        rotation = torch.stack((torch.eye(3, dtype=torch.float64), rotation_of_turn(turn)))
        return Rigid(rotation, torch.stack((torch.zeros_like(place), place)))

    def violation():
        target = FlowTarget(frames(), torch.zeros(2, 2).double(), torch.zeros(2).double())
        exact = replace(answer(FlowNetwork(SMALL).double(), inputs, frames()), course=(frames(),))
        return flow_losses(exact, target, inputs, torch.tensor(0.1).double(), PATH)["violations"]

    def closure():
        optimiser.zero_grad()
        loss = violation()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert violation().item() == pytest.approx(0, abs=1e-6)
    atoms = backbone_atoms(frames())
    assert (atoms[0, 2] - atoms[1, 0]).norm().item() == pytest.approx(1.329, abs=0.06)


def test_losses_have_finite_gradients_where_all_residues_are_in_one_place():
    inputs, _ = protein(8, 1)
    network = perturbed()
    nowhere = Rigid.identity((8,), dtype=torch.float64)
    target = replace(truth(8))
    level = torch.tensor(0.3, dtype=torch.float64)
    loss = total(flow_losses(network(inputs, nowhere, level), target, inputs, level, PATH))
    loss.backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in network.parameters())


def test_a_profile_is_put_into_the_order_of_the_network():
    letters = "ACDEFGHIKLMNPQRSTVWY"
    profile = torch.eye(20)[letters.index("W")]
    assert profile_in_order(profile, letters)[PROFILE_LETTERS.index("W")] == 1


def test_a_profile_is_the_share_of_each_letter_among_those_that_are_there():
    rows = ("AC", "AD", "G-", "AX")
    alignment = Alignment(("a", "b", "c", "d"), ("",) * 4, rows, np.zeros((4, 2), np.int64))
    first, second = profile_of(alignment)
    assert first[PROFILE_LETTERS.index("A")] == 0.75
    assert first[PROFILE_LETTERS.index("G")] == 0.25
    assert second[PROFILE_LETTERS.index("D")] == 0.5
    assert second.sum() == 1


def test_smooth_bins_peak_at_their_own_lengths():
    places = torch.tensor([[0.0, 0, 0], [2.0, 0, 0], [30.0, 0, 0]])
    bins = smooth_bins(places, 5)
    assert bins[0, 1, 0].item() == pytest.approx(1)
    assert bins[0, 2, -1].item() == pytest.approx(1)


def test_settings_without_sense_are_refused():
    with pytest.raises(ConfigError, match="spread > 0"):
        FlowPath(spread=0.0)
    with pytest.raises(ConfigError, match="at least 1"):
        FlowConfig(blocks=0)


def test_how_a_network_was_made_is_told_in_one_order():
    told = list(load_flow().origin)
    assert told == sorted(told)
    assert "steps" in told
