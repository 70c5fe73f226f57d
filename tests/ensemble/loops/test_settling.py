import pytest
import torch

from motet.ensemble.loops import find_region
from motet.ensemble.loops.preference import Preference
from motet.ensemble.loops.settling import Settling, settled
from motet.ensemble.loops.statistics import loop_maps
from motet.errors import ConfigError
from motet.geometry.loops import Building, build_loops


@pytest.fixture(scope="module")
def case(start):
    region = find_region(start, "A:8-14")
    gap = region.gap()
    room, maps = region.room(gap), loop_maps(region.surrounded, gap.before)
    how = Building(chains=500, closures=1500)
    built = build_loops(gap, maps, room, 30, torch.Generator().manual_seed(0), how)
    raw = Preference.around(region, gap, maps, built.atoms)
    return gap, room, raw.among(raw.parts(built.atoms)), built.atoms


def test_scores_are_standard_among_those_built(case):
    _, _, prefer, loops = case
    parts = (prefer.parts(loops) - prefer.mean) / prefer.spread
    torch.testing.assert_close(parts.mean(0), torch.zeros(3, dtype=parts.dtype), atol=1e-9, rtol=0)
    assert (parts.std(0, correction=0) < 1 + 1e-9).all()


def test_a_batch_scores_as_one_by_one(case):
    _, _, prefer, loops = case
    torch.testing.assert_close(prefer(loops), torch.cat([prefer(one[None]) for one in loops]))


def test_neighbours_are_the_fixed_heavy_atoms_about_the_side_chains(start, case):
    """Counted again, atom by atom, in the whole structure."""
    _, _, prefer, loops = case
    topology = start.topology
    fixed = ~topology.is_hydrogen & ((topology.residue_of_atom < 6) | (topology.residue_of_atom > 14))
    around = start.coords.double().reshape(-1, 3)[torch.from_numpy(fixed)]
    for loop in loops[:3]:
        count = 0
        for residue in loop:
            direction = residue[4] - residue[1]
            centre = residue[1] + 2.4 * direction / direction.norm()
            count += int(((around - centre).norm(dim=-1) < 8.0).sum())
        assert prefer.parts(loop[None])[0, 1] == count


def test_more_neighbours_and_bonds_and_likelier_torsions_are_preferred(case):
    _, _, prefer, loops = case
    standard = (prefer.parts(loops) - prefer.mean) / prefer.spread
    weights = torch.linalg.lstsq(standard, prefer(loops)[:, None]).solution.squeeze(-1)
    used = standard.std(0) > 0.5
    assert used.sum() >= 2
    assert (weights.sign() == torch.tensor([1.0, -1.0, -1.0], dtype=weights.dtype))[used].all()


def test_settled_loops_are_preferred_more_and_keep_their_room(case):
    gap, room, prefer, loops = case
    there = settled(gap, room, prefer, loops, torch.Generator().manual_seed(1), Settling(steps=15))
    before, after = prefer(loops), prefer(there)
    assert (after <= before + 1e-9).all()
    assert (after < before).double().mean() > 0.3
    free = torch.minimum(room.free(there, 1).amin((-2, -1)), room.within(there, there, 1, 1))
    assert free.min() > -0.2 - 1e-9


def test_the_same_seed_settles_alike(case):
    gap, room, prefer, loops = case
    again = [
        settled(gap, room, prefer, loops[:5], torch.Generator().manual_seed(seed), Settling(steps=5))
        for seed in (4, 4)
    ]
    assert (again[0] == again[1]).all()


def test_no_steps_change_nothing(case):
    gap, room, prefer, loops = case
    assert (settled(gap, room, prefer, loops, torch.Generator(), Settling(steps=0)) == loops).all()


def test_none_settle_to_none(case):
    gap, room, prefer, loops = case
    assert prefer(loops[:0]).shape == (0,)
    assert settled(gap, room, prefer, loops[:0], torch.Generator()).shape == (0, *loops.shape[1:])


def test_a_loop_cannot_warm_up_while_it_settles():
    with pytest.raises(ConfigError, match="cold"):
        Settling(hot=0.1, cold=1.0)
