"""The learned generator: what it does with any network, trained or not."""

from pathlib import Path

import pytest
import torch
from torch.autograd import gradcheck

from motet.ensemble import Plan, inspect_geometry, prepared, produce
from motet.ensemble.flow import Flow
from motet.ensemble.flow_frames import CarriedAtoms, sequence_of
from motet.ensemble.flow_settling import Settler
from motet.ensemble.sequence_start import extended_chain
from motet.errors import ConfigError
from motet.fold.flow import FlowConfig, FlowNetwork
from motet.fold.flow_inputs import stacked
from motet.fold.flow_path import FlowPath
from motet.fold.flow_weights import FlowModel, load_flow, save_flow
from motet.forcefield import DistanceRestraint, ForceField
from motet.geometry import Rigid, backbone_from_torsions, rmsd
from motet.io import read
from motet.structure import structure_from_backbone

EXAMPLE = Path(__file__).parents[2] / "examples" / "1l2y.pdb"
SMALL = FlowConfig(
    c_single=24, c_pair=8, c_triangle=4, pair_blocks=1, blocks=2, heads=2, c_head=4, waves=3, bins=6
)


@pytest.fixture(scope="module")
def cage():
    return prepared(read(EXAMPLE).model(0))


@pytest.fixture(scope="module")
def system(cage):
    return ForceField().bind(cage)


@pytest.fixture(scope="module")
def model():
    network = FlowNetwork(SMALL)
    draws = torch.Generator().manual_seed(1)
    for value in network.parameters():
        value.data = 0.05 * torch.randn(value.shape, generator=draws)
    return FlowModel(network.eval(), FlowPath(), {"steps": "0"})


def flow(cage, model, **settings):
    chosen = {"level": 0.05, "steps": 2, "replicas": 2, "packed": False, "settling": 0} | settings
    return Flow(structure=cage, model=model, **chosen)


def drawn(generator, system, start, rounds=1, seed=0):
    state, kept = generator.start(system, start, seed), []
    for _ in range(rounds):
        state, coords = generator.draw(system, state)
        kept.append(coords)
    return state, torch.cat(kept)


def test_atoms_ride_on_frames_that_do_not_move(cage):
    carried = CarriedAtoms.of(cage.topology, cage.coords)
    there = carried.placed(carried.frames)
    oxygens = torch.from_numpy(cage.topology.atom_names == "O")
    torch.testing.assert_close(there[~oxygens], cage.coords[~oxygens], rtol=0, atol=1e-4)
    assert (there - cage.coords)[oxygens].norm(dim=-1).max() < 0.2  # from where the experiment has them


def test_rigid_motion_of_all_frames_changes_nothing(cage):
    carried = CarriedAtoms.of(cage.topology, cage.coords)
    turn = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = Rigid(turn, torch.tensor([5.0, 2, -7])) @ carried.frames
    torch.testing.assert_close(carried.placed(moved), carried.placed(carried.frames), rtol=0, atol=1e-4)


def test_atoms_follow_frames_with_gradients_that_agree_with_finite_differences(cage):
    few = cage.subset(cage.topology.residue_of_atom < 3)
    carried = CarriedAtoms.of(few.topology, few.coords.double())
    shift = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)

    def placed(shift):
        return carried.placed(Rigid(carried.frames.rotation, carried.frames.translation + shift))

    assert gradcheck(placed, shift)


def test_a_gap_in_the_chain_is_a_jump_in_the_numbers(cage):
    numbers = CarriedAtoms.of(cage.topology, cage.coords).inputs.numbers
    assert (numbers.diff() == 1).all()
    gapped = cage.subset((cage.topology.residue_of_atom < 8) | (cage.topology.residue_of_atom > 10))
    steps = CarriedAtoms.of(gapped.topology, gapped.coords).inputs.numbers.diff()
    assert (steps != 1).nonzero().flatten().tolist() == [7]
    assert steps[7] == 4


def test_replica_i_draws_from_seed_plus_i_whoever_is_drawn_with_it(cage, system, model):
    _, from_four = drawn(flow(cage, model), system, cage.coords, seed=4)
    _, from_five = drawn(flow(cage, model, replicas=1), system, cage.coords, seed=5)
    torch.testing.assert_close(from_four[1], from_five[0], rtol=0, atol=1e-4)
    assert (from_four[0] - from_four[1]).abs().max() > 0.1


def test_a_resumed_run_equals_one_that_was_not_stopped(cage, system, model):
    generator = flow(cage, model, settling=3)
    _, whole = drawn(generator, system, cage.coords, 3)
    state, first = drawn(generator, system, cage.coords, 2)
    _, last = generator.draw(system, generator.unpack(generator.pack(state)))
    assert torch.equal(torch.cat((first, last)), whole)


def test_a_higher_level_takes_conformations_farther_away(cage, system, model):
    near, far = (drawn(flow(cage, model, level=level), system, cage.coords)[1] for level in (0.02, 0.4))
    assert 0 < rmsd(near, cage.coords).mean() < 0.5 * rmsd(far, cage.coords).mean()


@pytest.mark.parametrize("doubt", [None, 1.0])
def test_an_energy_guides_the_draws(cage, system, model, doubt):
    carbons = torch.from_numpy(cage.topology.atom_index("CA"))
    guide = DistanceRestraint(carbons[torch.tensor([[0, -1]])], 25.0, 5.0)
    plain, guided = (
        drawn(flow(cage, model, guide=one, doubt=doubt, push=1.0, steps=4), system, cage.coords)[1]
        for one in (None, guide)
    )
    assert (guide(guided) < 0.9 * guide(plain)).all()


def test_the_shipped_network_follows_a_distance(cage, system):
    carbons = torch.from_numpy(cage.topology.atom_index("CA"))
    guide = DistanceRestraint(carbons[torch.tensor([[0, -1]])], 16.0, 5.0)
    plain, guided = (
        drawn(flow(cage, load_flow(), guide=one, level=0.6, steps=6), system, cage.coords)[1]
        for one in (None, guide)
    )
    assert (guide(guided) < 0.5 * guide(plain)).all()


def test_a_guide_that_is_flat_changes_nothing(cage, system, model):
    carbons = torch.from_numpy(cage.topology.atom_index("CA"))
    flat = DistanceRestraint(carbons[torch.tensor([[0, -1]])], 25.0, 5.0, slack=100.0)
    plain, guided = (drawn(flow(cage, model, guide=one), system, cage.coords)[1] for one in (None, flat))
    torch.testing.assert_close(guided, plain, rtol=0, atol=1e-4)


def test_relaxed_draws_have_ideal_bonds_and_no_clashes(cage, system, model):
    _, coords = drawn(flow(cage, model, level=0.03, settling=60), system, cage.coords)
    found = inspect_geometry(cage.with_coords(coords))
    assert found.worst_bond.max() < 0.02
    assert found.closest_pair.min() > 2.0


@pytest.mark.slow
def test_packing_turns_side_chains_and_leaves_the_backbone(cage, system, model):
    backbone = torch.from_numpy(cage.topology.backbone.copy()).flatten()
    loose, packed = (drawn(flow(cage, model, packed=one), system, cage.coords)[1] for one in (False, True))
    torch.testing.assert_close(packed[:, backbone], loose[:, backbone], rtol=0, atol=1e-4)
    assert (packed - loose).abs().max() > 0.5


def test_an_ensemble_of_draws_makes_no_claim_of_weights(cage, system, model):
    made = produce(cage, system, flow(cage, model), Plan(count=3, minimise_steps=2, relax_steps=0))
    assert len(made) == 3
    assert made.provenance.weighting == "given"
    assert made.provenance.settings["network_steps"] == "0"
    assert made.weights.unique().numel() == 1


def test_weights_read_back_as_they_were_but_for_half_precision(tmp_path, model):
    save_flow(model, tmp_path / "flow.safetensors")
    back = load_flow(tmp_path / "flow.safetensors")
    assert back.network.config == model.network.config
    assert back.path == model.path
    assert back.origin == model.origin
    for name, value in model.network.named_parameters():
        torch.testing.assert_close(back.network.get_parameter(name), value, rtol=1e-3, atol=1e-6)


def test_what_is_not_sound_is_drawn_again_until_it_is(cage, system, model):
    generator = flow(cage, model, level=0.5, settling=20, calmer=0.3)
    state, coords = drawn(generator, system, cage.coords)
    assert state.again > 0
    settler = Settler(cage, system, 20)
    assert int((~settler.sound(coords)).sum()) == state.unsound == 0
    assert generator.report(state)["drawn_again"] == state.again / 2
    back = generator.unpack(generator.pack(state))
    assert (back.again, back.unsound, back.rounds) == (state.again, state.unsound, state.rounds)


def test_what_is_wrong_with_a_conformation_is_seen(cage, system):
    settler = Settler(cage, system, 60)
    (coords,), sound = settler.settled(cage.coords[None])
    assert sound.all()
    backbone = cage.topology.backbone
    stretched, clashing = coords.repeat(2, 1, 1).unbind()
    stretched[torch.tensor(cage.topology.residue_of_atom) > 9] += 0.3
    clashing[int(backbone[2, 3])] = clashing[int(backbone[15, 1])] + 0.5
    assert not settler.sound(torch.stack((stretched, clashing))).any()


def test_a_cis_peptide_bond_is_seen():
    phi, psi = (torch.full((6,), angle, dtype=torch.float64) for angle in (-1.2, 2.4))
    omega = torch.full((6,), torch.pi, dtype=torch.float64)
    turned = omega.clone()
    turned[2] = 0
    straight, cis = (backbone_from_torsions(phi, psi, one).float() for one in (omega, turned))
    chain = structure_from_backbone("AAAAAA", straight)
    settler = Settler(chain, ForceField().bind(prepared(chain)), 20)
    assert settler.sound(chain.coords[None]).all()
    assert not settler.sound(structure_from_backbone("AAAAAA", cis).coords[None]).any()


def test_a_sequence_alone_is_a_start_that_says_what_it_is_worth(model):
    chain = extended_chain("ACDEFGHIKLMNPQRSTVWY", "all")
    assert sequence_of(chain.topology) == "ACDEFGHIKLMNPQRSTVWY"
    assert any("no prediction of the fold" in note.text for note in chain.notes)
    found = inspect_geometry(chain)
    assert found.worst_bond < 0.05
    assert found.closest_pair > 2.0


def test_the_network_that_ships_takes_noise_out(cage):
    shipped = load_flow()
    assert int(shipped.origin["steps"]) > 0
    carried = CarriedAtoms.of(cage.topology, cage.coords)
    centre = carried.frames.translation.mean(0)
    clean = Rigid(carried.frames.rotation, carried.frames.translation - centre)
    level = torch.tensor([0.1])
    noise = shipped.path.noise(carried.inputs, torch.Generator().manual_seed(0))
    noised = shipped.path.between(clean, noise, level[0])
    given = stacked([carried.inputs])
    with torch.no_grad():
        found = shipped.network(given, Rigid(noised.rotation[None], noised.translation[None]), level).clean
    before, after = (rmsd(one, clean.translation) for one in (noised.translation, found.translation[0]))
    assert after < 0.7 * before


def test_missing_weights_and_settings_without_sense_are_refused(tmp_path, cage, model):
    with pytest.raises(ConfigError, match="train them with"):
        load_flow(tmp_path / "none.safetensors")
    with pytest.raises(ConfigError, match="level and calmer"):
        flow(cage, model, level=1.5)
    with pytest.raises(ConfigError, match="displacement"):
        flow(cage, model, doubt=-1.0)
