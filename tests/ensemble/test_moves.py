"""Every move keeps the density it is meant to keep, and leaves the chain whole."""

import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import ks_2samp

from motet.ensemble.dice import Dice
from motet.ensemble.landscape import Landscape
from motet.ensemble.moves import ChiTurn, Closure, Pivot, RotamerJump, Twist, Walkers
from motet.ensemble.soft_modes import soft_covariance_factor
from motet.geometry import InternalCoordinates
from motet.units import BOLTZMANN

from .peptides import Free, Toward, peptide

THERMAL = BOLTZMANN * 300.0


def landscape_of(structure, system, bends=False):
    made = Landscape.of(structure.topology, system, structure.coords, torch.float64)
    if bends:
        return made
    none = made.articulation.bends[:0]
    return replace(made, articulation=replace(made.articulation, bends=none))


def exact(landscape, count, seed):
    """Independent draws: flat torsions, sin-weighed bends, kept in proportion to Boltzmann's factor."""
    random, articulation = torch.Generator().manual_seed(seed), landscape.articulation
    kept = []
    while sum(len(one) for one in kept) < count:
        turns = (torch.rand(8 * count, len(articulation.torsions), generator=random).double() - 0.5) * 2 * math.pi
        bends = torch.rand(8 * count, len(articulation.bends), generator=random).double()
        bends = torch.acos(1 - 2 * bends) - articulation.reference.angles[articulation.bends]
        q = torch.cat((turns, bends), dim=1)
        chance = (-landscape.energy(q) / THERMAL).exp()
        kept.append(q[torch.rand(len(q), generator=random) < chance])
    return torch.cat(kept)[:count]


def walked(landscape, move, q, tries, size, seed=0):
    dice = Dice.seeded(range(seed, seed + len(q)), q.device)
    thermal = q.new_full((len(q),), THERMAL)
    walkers = Walkers(q, landscape.energy(q), thermal)
    sizes, chances = q.new_full((len(q),), size), []
    for _ in range(tries):
        walkers, chance = move.step(landscape, walkers, sizes, dice)
        chances.append(chance.mean())
    return walkers, torch.stack(chances).mean()


def observables(landscape, q):
    """Each coordinate, wrapped, and distances along the backbone, which feel how coordinates go together."""
    turns = torch.remainder(q[:, : len(landscape.articulation.torsions)] + math.pi, 2 * math.pi)
    carbons = landscape.atoms(q)[:, torch.from_numpy(landscape.topology.atom_index("CA"))]
    apart = (carbons[:, 2:] - carbons[:, :-2]).norm(dim=-1), (carbons[:, 3:] - carbons[:, :-3]).norm(dim=-1)
    ends = (carbons[:, -1:] - carbons[:, :1]).norm(dim=-1)
    return torch.cat((turns, *apart, ends, q[:, len(landscape.articulation.torsions) :]), dim=1)


def least_p(landscape, found, expected):
    """Smallest p of the Kolmogorov-Smirnov tests, corrected for their number."""
    columns = zip(observables(landscape, found).mT, observables(landscape, expected).mT, strict=True)
    values = [ks_2samp(a.numpy(), b.numpy())[1] for a, b in columns]
    return min(values) * len(values)


@pytest.fixture(scope="module")
def strung():
    """Nine residues, whose ends a spring holds 12 Å apart."""
    structure = peptide("AGASGAGAA")
    carbons = structure.topology.atom_index("CA")
    return structure, Toward(structure.n_atoms, (int(carbons[0]), int(carbons[-1])), 12.0, 0.5)


MOVES = {
    "loop": (Closure.loops, 0.5, 8),
    "pivot": (Pivot.of, 1.0, 12),
    "rotamer": (RotamerJump.of, 1.0, 12),
    "chi": (lambda landscape: ChiTurn(RotamerJump.of(landscape)), 1.0, 12),
}


@pytest.mark.parametrize("name", MOVES)
def test_exact_draws_stay_exact_draws(strung, name):
    landscape = landscape_of(*strung)
    make, size, tries = MOVES[name]
    start = exact(landscape, 700, seed=1)
    walkers, chance = walked(landscape, make(landscape), start, tries, size)
    assert chance > 0.1
    assert least_p(landscape, walkers.q, exact(landscape, 700, seed=2)) > 0.01
    torch.testing.assert_close(walkers.energy, landscape.energy(walkers.q))


def test_twists_keep_the_density_of_torsions_and_bends(strung):
    landscape = landscape_of(*strung, bends=True)
    factor = soft_covariance_factor(landscape.articulation, strung[0].coords)
    start = exact(landscape, 300, seed=3)
    walkers, chance = walked(landscape, Twist(factor, steps=4), start, 6, 0.25)
    assert 0.1 < chance < 0.999
    assert least_p(landscape, walkers.q, exact(landscape, 300, seed=4)) > 0.01


def lever(landscape, q):
    """log J6 of the three middle residues of five: what each turn about N-CA and CA-C does to the last C."""
    atoms = landscape.atoms(q)[:, torch.from_numpy(landscape.topology.backbone[1:4, :3].copy()).flatten()]
    start, end = atoms[:, (0, 1, 3, 4, 6, 7)], atoms[:, (1, 2, 4, 5, 7, 8)]
    axis = (end - start) / (end - start).norm(dim=-1, keepdim=True)
    moved = torch.linalg.cross(axis, atoms[:, 8:] - start)
    return torch.linalg.det(torch.cat((axis, moved), dim=-1)).abs().log()


@pytest.mark.slow
def test_closures_are_weighed_by_their_jacobian():
    """Torsions of free peptides stay uniform; without J6 they would not, and this test would see it."""
    structure = peptide("AAAAA")
    landscape = landscape_of(structure, Free(structure.n_atoms))
    move = Closure.loops(landscape)
    start, fresh = exact(landscape, 1500, seed=5), lever(landscape, exact(landscape, 1500, seed=6))
    right, _ = walked(landscape, move, start, 10, 5.0)
    wrong, _ = walked(landscape, WithoutJacobian(move), start, 10, 5.0)
    assert ks_2samp(lever(landscape, right.q).numpy(), fresh.numpy())[1] > 0.01
    assert ks_2samp(lever(landscape, wrong.q).numpy(), fresh.numpy())[1] < 1e-4


class WithoutJacobian:
    """The same proposals, accepted as if they were symmetric: what the test must be able to tell apart."""

    def __init__(self, move):
        self.move = move

    def step(self, landscape, walkers, size, dice):
        from motet.ensemble.moves import metropolis

        proposal = self.move.propose(landscape, walkers.q, size, dice)
        return metropolis(landscape, walkers, replace(proposal, log_ratio=proposal.log_ratio * 0), dice)


@pytest.fixture(scope="module")
def folded(shared):
    from motet.ensemble import prepared
    from motet.io import read

    return prepared(read(shared / "structures/1ubq.pdb")).to(torch.float64)


@pytest.mark.parametrize("make", [Closure.loops, Closure.hinges])
def test_what_lies_outside_a_window_stands_still(folded, make):
    landscape = landscape_of(folded, Free(folded.n_atoms))
    move, count = make(landscape), 12
    q = landscape.articulation.zeros(count)
    dice = Dice.seeded(range(count), q.device)
    proposal = move.propose(landscape, q, q.new_full((count,), 0.1), dice)
    assert proposal.possible.any()
    moved = (landscape.atoms(proposal.q) - landscape.atoms(q)).norm(dim=-1)[proposal.possible]
    assert (moved[:, 0] == 0).all()
    assert (moved[:, -1] < 1e-6).all()
    assert (moved.amax(-1) > 1e-3).all()


@pytest.mark.parametrize("make", [Closure.loops, Closure.hinges, Pivot.of, RotamerJump.of])
def test_no_move_changes_a_bond_length_or_an_angle(folded, make):
    landscape = landscape_of(folded, Free(folded.n_atoms))
    q = landscape.articulation.zeros(8)
    walkers, _ = walked(landscape, make(landscape), q, 5, 0.3)
    tree = landscape.articulation.tree
    found = InternalCoordinates.from_cartesian(tree, landscape.atoms(walkers.q))
    assert not torch.equal(walkers.q, q)
    reference = landscape.articulation.reference
    torch.testing.assert_close(found.lengths, reference.lengths.expand_as(found.lengths))
    torch.testing.assert_close(found.angles, reference.angles.expand_as(found.angles))


@pytest.mark.parametrize("name", MOVES)
def test_a_batch_of_walkers_walks_as_each_alone(strung, name):
    landscape = landscape_of(*strung)
    make, size, _ = MOVES[name]
    move, start = make(landscape), exact(landscape, 3, seed=7)
    together, _ = walked(landscape, move, start, 4, size)
    for walker in range(3):
        alone, _ = walked(landscape, move, start[walker : walker + 1], 4, size, seed=walker)
        torch.testing.assert_close(alone.q[0], together.q[walker])
