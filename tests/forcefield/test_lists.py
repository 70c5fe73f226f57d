"""Lists of neighbours: a batch comes in pieces, and each piece keeps its own list as long as that holds."""

import pytest
import torch

from motet.forcefield import ForceField
from motet.forcefield import system as systems
from motet.forcefield.neighbours import find_neighbours
from motet.forcefield.terms import Clash, Electrostatics, HydrogenBond, HydrophobicSolvation, VanDerWaals


@pytest.fixture
def made(monkeypatch, loop) -> list[int]:
    """Pieces of two conformations; the number of conformations of each list that is made."""
    sizes: list[int] = []

    def counted(coords, *rest):
        sizes.append(len(coords))
        return find_neighbours(coords, *rest)

    monkeypatch.setattr(systems, "find_neighbours", counted)
    monkeypatch.setattr(systems, "ATOMS_AT_ONCE", 2 * loop.n_atoms)
    return sizes


def field() -> ForceField:
    return ForceField([VanDerWaals(), HydrogenBond(), Electrostatics(), HydrophobicSolvation()]).double()


def shaken(structure, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, *structure.coords.shape, generator=generator, dtype=torch.float64)
    return structure.coords + 0.15 * noise


def test_pieces_give_what_the_whole_gives(made, loop, monkeypatch):
    system, coords = field().bind(loop), shaken(loop, 5).requires_grad_()
    energies, table, burial = system(coords), system.table(coords).values, system.burial(coords)
    gradient = torch.autograd.grad(energies.sum(), coords)[0]
    assert made == [2, 2, 1]
    monkeypatch.setattr(systems, "ATOMS_AT_ONCE", 1 << 15)
    whole = field().bind(loop)
    torch.testing.assert_close(energies, whole(coords))
    torch.testing.assert_close(gradient, torch.autograd.grad(whole(coords).sum(), coords)[0])
    torch.testing.assert_close(table, whole.table(coords).values)
    torch.testing.assert_close(burial, whole.burial(coords))
    assert made == [2, 2, 1, 5]


def test_only_pieces_that_have_moved_are_listed_anew(made, loop):
    system, coords = field().bind(loop), shaken(loop, 5)
    system(coords)
    system(coords + 0.2)  # 0.35 Å: less than half the skin
    assert made == [2, 2, 1]
    coords[3] += 0.5
    torch.testing.assert_close(system(coords), field().bind(loop)(coords))
    assert made[:4] == [2, 2, 1, 2]
    made.clear()
    system(coords[0])
    system(coords)
    assert made == [1, 2, 2, 1]  # of a smaller batch nothing else is kept
    system.forget()
    system(coords)
    assert made == [1, 2, 2, 1, 2, 2, 1]


def test_a_batch_of_none_has_no_energies(loop):
    system = ForceField().double().bind(loop)
    assert system(loop.coords[None][:0]).shape == (0,)
    assert system.table(loop.coords[None][:0]).values.shape == (0, loop.n_residues, 15)


def test_a_field_of_overlaps_alone_lists_fewer_pairs_and_says_the_same(loop):
    whole, near = field().bind(loop), ForceField([Clash()]).double().bind(loop)
    coords = shaken(loop, 3)
    both = ForceField([Clash(), VanDerWaals()]).double().bind(loop)
    torch.testing.assert_close(near(coords), both.terms(coords)[:, 0], rtol=0, atol=1e-9)
    assert len(near.neighbours_of(coords).i) < 0.4 * len(both.neighbours_of(coords).i)
    torch.testing.assert_close(near.burial(coords), whole.burial(coords))
    torch.testing.assert_close(
        near(coords), both.terms(coords)[:, 0], rtol=0, atol=1e-9
    )  # by the longer list, too
