"""What packing owes its users: the best choice of its tables, and tables that are the force field's own."""

import itertools

import numpy as np
import pytest
import torch

from motet.errors import ConfigError
from motet.forcefield import Conditions, ForceField
from motet.forcefield.layout import lay_out
from motet.forcefield.packing import Annealing, repacked, repacked_each
from motet.forcefield.packing.anneal import annealed
from motet.forcefield.packing.slots import chosen_copies, slots_of
from motet.forcefield.packing.tables import NEVER, Packer
from motet.forcefield.terms import Clash, HydrogenBond, VanDerWaals


@pytest.fixture(scope="module")
def pairs_only() -> ForceField:
    return ForceField([VanDerWaals(), Clash(), HydrogenBond()]).double()


def packed(structure, residues, field, native=False, most=40):
    layout = lay_out([structure])
    slots = slots_of(layout, residues, np.full(layout.n_residues, native))
    packer = Packer(field, layout, slots, Conditions(), reach=9.0, most=most)
    coords = structure.coords[None]
    return slots, packer, coords, packer.tables(coords)


@pytest.mark.parametrize("native", [False, True])
def test_tables_differ_between_choices_as_the_whole_energy_does(trp_cage, pairs_only, native):
    slots, packer, coords, tables = packed(trp_cage, [2, 4, 5, 7], pairs_only, native)
    system = pairs_only.bind(trp_cage)
    library = torch.zeros(1)
    energies, sums = [], []
    for choice in ([0, 0, 0, 0], [1, 2, 0, 1], [2, 1, 3, 5], [1, 3, 3, 2]):
        place = torch.tensor([choice])
        rotamer = tables.rotamer.gather(-1, place[..., None]).squeeze(-1)
        built = chosen_copies(slots, coords, rotamer)[0]
        energies.append(system(built))
        library = packer.library_weight * rarity_of(packer, coords, rotamer)
        sums.append(tables.energies(place[:, None])[0, 0] - library)
    energies, sums = torch.stack(energies), torch.stack(sums)
    assert energies.std() > 0.5
    torch.testing.assert_close(sums - sums[0], energies - energies[0], atol=1e-6, rtol=1e-6)


def rarity_of(packer, coords, rotamer):
    from motet.forcefield.packing.slots import copied

    rarity = copied(packer.slots, coords)[1][0]
    return rarity[torch.from_numpy(packer.slots.first_copy[:-1]) + rotamer[0]].sum()


@pytest.mark.parametrize("residues", [[2, 4, 5], [5, 6, 10], [7, 13, 15]])
def test_annealing_finds_what_brute_force_finds(trp_cage, pairs_only, residues):
    tables = packed(trp_cage, residues, pairs_only)[3]
    usable = [int((row < NEVER / 2).sum()) for row in tables.alone[0]]
    every = torch.tensor(list(itertools.product(*map(range, usable))))
    energies = tables.energies(every[None])[0]
    found = annealed(tables, Annealing(seed=3))
    torch.testing.assert_close(tables.energies(found[:, None])[0, 0], energies.min())


def test_a_batch_equals_a_loop(trp_cage):
    noise = torch.randn(3, *trp_cage.coords.shape, generator=torch.Generator().manual_seed(0)).double()
    bundle = trp_cage.with_coords(trp_cage.coords + 0.2 * noise)
    field = ForceField().double()
    together = repacked(bundle, force_field=field).coords
    alone = [repacked(bundle.model(number), force_field=field).coords for number in range(3)]
    torch.testing.assert_close(together, torch.stack(alone))


def test_unlike_proteins_together_equal_each_alone(trp_cage, loop):
    field = ForceField().double()
    together = repacked_each([trp_cage, loop], [None, [0, 1]], force_field=field)
    torch.testing.assert_close(together[1].coords, repacked(loop, [0, 1], force_field=field).coords)
    assert not torch.equal(together[0].coords, trp_cage.coords)


def test_the_same_seed_gives_the_same_bytes(trp_cage):
    first, second = (repacked(trp_cage, force_field=ForceField(), seed=5).coords for _ in range(2))
    assert torch.equal(first, second)


def test_what_may_not_turn_stays(trp_cage):
    field, topology = ForceField(), trp_cage.topology
    packed = repacked(trp_cage, [4, 5], force_field=field).coords
    moved = (packed != trp_cage.coords).any(-1).numpy()
    stem = np.isin(topology.atom_names, ("N", "CA", "C", "O", "CB"))
    assert moved.any()
    assert not moved[stem | ~np.isin(topology.residue_of_atom, (4, 5))].any()


def test_the_native_side_chain_can_be_kept(trp_cage):
    field = ForceField([VanDerWaals(), Clash(), HydrogenBond()]).double()
    system, free = field.bind(trp_cage), repacked(trp_cage, force_field=field)
    kept = repacked(trp_cage, force_field=field, keep_native=True)
    assert system(kept.coords) < system(free.coords)
    assert (kept.coords == trp_cage.coords).all(-1).float().mean() > 0.6


def test_missing_side_chains_are_built(trp_cage):
    bare = trp_cage.select("backbone")
    built = repacked(bare, force_field=ForceField())
    names = {(a, b) for a, b in zip(built.topology.residue_of_atom, built.topology.atom_names, strict=True)}
    wanted = zip(trp_cage.topology.residue_of_atom, trp_cage.topology.atom_names, strict=True)
    assert set(wanted) <= names
    assert built.coords.isfinite().all()


def test_nothing_to_turn_changes_nothing(trp_cage):
    assert torch.equal(repacked(trp_cage, [], force_field=ForceField()).coords, trp_cage.coords)


def test_residues_that_do_not_exist_are_refused(trp_cage):
    with pytest.raises(ConfigError, match="between 0 and 19"):
        repacked(trp_cage, [20], force_field=ForceField())


def test_buried_side_chains_come_back(shared):
    from motet.ensemble import prepared
    from motet.geometry import dihedral
    from motet.io import read

    lysozyme = prepared(read(shared / "structures" / "1aki.pdb")).model(0)
    packed = repacked(lysozyme, force_field=ForceField())
    chi1 = torch.from_numpy(lysozyme.topology.chi_atoms[:, 0])
    chi1 = chi1[(chi1 >= 0).all(-1)]
    turned = [dihedral(*(one.coords[atoms] for atoms in chi1.T)) for one in (lysozyme, packed)]
    right = torch.cos(turned[0] - turned[1]) > np.cos(np.radians(40.0))
    assert right.float().mean() > 0.8
