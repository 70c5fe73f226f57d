"""One graph gives the energy and gradient that the system gives, whatever its lists are filled up to."""

import shutil

import pytest
import torch

from motet.ensemble import minimise
from motet.errors import ConfigError, NonFiniteError, TopologyMismatchError
from motet.forcefield import TERMS, ForceField
from motet.forcefield.filling import Room, filled, refilled, tensors_in
from motet.forcefield.separation import Pairs
from motet.forcefield.terms import Electrostatics, HydrogenBond, HydrophobicSolvation, VanDerWaals


def shaken(coords: torch.Tensor, several: tuple[int, ...] = (), by: float = 0.15) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return coords + by * torch.randn(*several, *coords.shape, generator=generator, dtype=coords.dtype)


def with_gradient(system, coords):
    """Energies, and the gradient of a sum that weighs each of them differently."""
    coords = coords.detach().clone().requires_grad_()
    energies = system(coords)
    weights = torch.arange(1, energies.numel() + 1, dtype=coords.dtype).reshape(energies.shape)
    return energies.detach(), torch.autograd.grad((weights * energies).sum(), coords)[0]


def few() -> ForceField:
    """Three terms are traced faster than fifteen."""
    return ForceField([VanDerWaals(), HydrogenBond(), Electrostatics()]).double()


@pytest.fixture
def traced(monkeypatch):
    """Graphs are traced and run as they are: all but the compiler."""
    monkeypatch.setattr(torch, "compile", lambda graph, **options: graph)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_rows_that_fill_a_list_cost_nothing(term, traced, loop, aromatic, iron, open_disulfide):
    specimen = {"pi": aromatic, "metal": iron, "disulfide": open_disulfide}.get(term.name, loop)
    system = ForceField([term()]).double().bind(specimen)
    compiled, coords = system.compiled(), shaken(specimen.coords, (2,))
    for here in (coords, coords + 0.1, 1.02 * coords):  # the same list, and a new one
        torch.testing.assert_close(with_gradient(compiled, here), with_gradient(system, here))
    assert len(compiled._graphs) == 1


def test_unlike_proteins_keep_their_own_energies_and_gradients(traced, loop, helix):
    system = few().bind([loop, helix])
    coords = shaken(torch.cat((loop.coords, helix.coords), dim=-2), (3,))
    compiled = system.compiled()
    assert compiled(coords).shape == (3, 2)
    torch.testing.assert_close(with_gradient(compiled, coords), with_gradient(system, coords))


def test_parameters_are_read_at_each_call(traced, loop):
    force_field = few()
    system = force_field.bind(loop)
    compiled, before = system.compiled(), system(loop.coords)
    torch.testing.assert_close(compiled(loop.coords), before)
    with torch.no_grad():
        force_field.weights *= 2.0
        for parameter in force_field.terms[1].parameters():
            parameter += 0.1
    assert not torch.isclose(system(loop.coords), before)
    torch.testing.assert_close(compiled(loop.coords), system(loop.coords))


def test_it_follows_the_precision_and_the_number_of_conformations(traced, loop):
    system = few().float().bind(loop)
    compiled = system.compiled()
    for coords in (loop.coords.float(), loop.coords, shaken(loop.coords, (2, 2)), loop.coords.float()):
        found = with_gradient(compiled, coords)
        assert found[0].dtype == coords.dtype
        torch.testing.assert_close(found, with_gradient(system, coords))


def test_a_list_that_outgrows_its_room_is_compiled_anew(traced, helix):
    system = few().bind(helix)
    compiled = system.compiled()
    for stretch in (3.0, 1.0, 0.9):
        coords = stretch * helix.coords
        torch.testing.assert_close(with_gradient(compiled, coords), with_gradient(system, coords))
    assert 2 <= len(compiled._graphs) <= 3
    compiled.forget()
    torch.testing.assert_close(compiled(helix.coords), system(helix.coords))


def test_it_stands_in_for_the_system(traced, loop):
    system, start = few().bind(loop), shaken(loop.coords)
    found, expected = (minimise(one, start, max_steps=5) for one in (system.compiled(), system))
    torch.testing.assert_close(found.coords, expected.coords)
    torch.testing.assert_close(found.energies, expected.energies)
    assert found.energies < system(start)


def test_room_grows_in_steps_and_never_shrinks():
    room = Room()
    assert room("metal", 0) == 0
    sizes = [room("pairs", count) for count in range(1, 5000)]
    assert sizes == sorted(sizes)
    assert all(count <= size <= 1.25 * count + 16 for count, size in enumerate(sizes, 1))
    assert len(set(sizes)) < 60
    assert room("pairs", 3) == sizes[-1]


def test_nested_rows_come_back_from_their_tensors():
    rows = (torch.arange(3), (Pairs(torch.ones(2), torch.zeros(2)), ()))
    back = refilled(rows, iter([one + 1 for one in tensors_in(rows)]))
    assert torch.equal(back[0], torch.tensor([1, 2, 3]))
    assert isinstance(back[1][0], Pairs)
    assert back[1][0].member is None
    assert torch.equal(filled(rows[1][0], 4, {"j": 7.0}).j, torch.tensor([0.0, 0, 7, 7]))


def test_what_is_wrong_is_said_as_by_the_system(traced, loop, monkeypatch):
    compiled = few().bind(loop).compiled()
    with pytest.raises(TopologyMismatchError):
        compiled(loop.coords[:-1])
    with pytest.raises(NonFiniteError):
        compiled(loop.coords * torch.nan)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="C\\+\\+ compiler"):
        compiled(loop.coords)


@pytest.mark.slow
def test_all_terms_are_one_graph(loop):
    system = ForceField().double().bind(loop)
    compiled = system.compiled(
        backend="aot_eager"
    )  # compiled() asks for one whole graph, and fails where it breaks
    torch.testing.assert_close(with_gradient(compiled, loop.coords), with_gradient(system, loop.coords))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")  # its own compiler's, of its own functions
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("terms", [(VanDerWaals, HydrophobicSolvation), (HydrogenBond,)])
def test_machine_code_gives_the_same(terms, helix):
    system = ForceField([term() for term in terms]).bind(helix)
    compiled, coords = system.compiled(), shaken(helix.coords.float())
    for here in (coords, coords + 0.2, 1.02 * coords):
        expected, found = with_gradient(system, here), with_gradient(compiled, here)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert len(compiled._graphs) == 1
