"""What each effect does to a few atoms whose answer is known."""

import math

import numpy as np
import pytest
import torch

from motet.forcefield import TERMS, ForceField
from motet.forcefield.terms import (
    Disulfide,
    Electrostatics,
    HydrophobicSolvation,
    Metal,
    Pi,
    PolarSolvation,
    Rotamer,
    SideChainEntropy,
    Unfolded,
    WaterBridge,
)
from motet.io import read
from motet.structure import Structure

FAR = torch.tensor([60.0, 0.0, 0.0], dtype=torch.float64)


def field(*terms) -> ForceField:
    return ForceField([term() for term in terms]).double()


def energy(term, structure: Structure, **conditions: float) -> float:
    return field(term).bind(structure, **conditions)(structure.coords).item()


def crowded(structure: Structure, name: str, crowd: Structure) -> tuple[Structure, torch.Tensor]:
    """The structure with the atoms of another on a sphere of 5 Å around one of its own, and with them far away."""
    centre = structure.coords[torch.from_numpy(structure.topology.atom_names == name)][0]
    directions = torch.randn(crowd.n_atoms, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    around = centre + 5.0 * directions / directions.norm(dim=-1, keepdim=True)
    both = structure.concatenated(crowd.with_coords(around))
    return both, torch.cat((structure.coords, around + FAR))


@pytest.mark.parametrize(
    ("term", "residue", "atom", "least"),
    [
        (PolarSolvation, "7", "N", 0.5),  # leucine's amide, with nobody to bond with
        (HydrophobicSolvation, "7", "CD1", -math.inf),
        (SideChainEntropy, "8", "CE", 0.5),
    ],
    ids=["polar", "hydrophobic", "entropy"],
)
def test_burial_costs_polar_atoms_and_freedom_and_pays_for_carbon(term, residue, atom, least, trp_cage):
    alone = trp_cage.select(residue)
    crowd = trp_cage.select("name CB CG CD1 CD2 CE2 CE3 CZ2 CZ3 CH2 CG2 CD1 CE1 CZ")
    both, apart = crowded(alone, atom, crowd)
    system = field(term).bind(both)
    change = (system.table(both.coords).values - system.table(apart).values)[0].sum().item()
    assert change > least
    if term is HydrophobicSolvation:
        assert change < -0.5


def turned(structure: Structure, axis: tuple[str, str], moved: str, angle: float) -> Structure:
    """Atoms of one residue, turned about a bond of its side chain."""
    names = structure.topology.atom_names
    start, end = (structure.coords[torch.from_numpy(names == name)][0] for name in axis)
    x, y, z = ((end - start) / (end - start).norm()).tolist()
    spin = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64) * angle
    rotated = (structure.coords - end) @ torch.linalg.matrix_exp(spin).T + end
    mask = torch.from_numpy(np.isin(names, moved.split()))
    return structure.with_coords(torch.where(mask[:, None], rotated, structure.coords))


def test_a_side_chain_has_the_wells_of_its_rotamers(trp_cage):
    """Leucine, turned once about each bond: its best costs little, its worst what was never seen."""
    leucine = trp_cage.select("7")
    system = field(Rotamer).bind(leucine)
    found = [
        system(turned(turned(leucine, ("CA", "CB"), "CG CD1 CD2", first), ("CB", "CG"), "CD1 CD2", last).coords)
        for first in np.radians(range(0, 360, 15))
        for last in np.radians(range(0, 360, 15))
    ]
    energies = torch.stack(found)
    assert -0.01 < energies.min() < 0.5
    assert 3.0 < energies.max() < 6.91 * 0.593


def test_a_ring_that_turns_by_half_is_the_same_ring(trp_cage):
    tyrosine = trp_cage.select("3")
    names = tyrosine.topology.atom_names.tolist()
    swap = {"CD1": "CD2", "CD2": "CD1", "CE1": "CE2", "CE2": "CE1"}
    order = [names.index(swap.get(name, name)) for name in names]
    swapped = tyrosine.with_coords(tyrosine.coords[order])
    assert energy(Rotamer, swapped) == pytest.approx(energy(Rotamer, tyrosine), abs=0.15)


def test_a_disulfide_is_worth_the_freedom_of_its_loop(disulfide, open_disulfide):
    """A loop of three residues in this piece: T (2.1 + 1.5 R ln 3) at most; pulled apart, less is left."""
    most = 298.15 * (0.0021 + 0.002981 * math.log(3))
    assert -most < energy(Disulfide, disulfide) < -0.7 * most
    assert energy(Disulfide, open_disulfide) > -14
    pulled = open_disulfide.coords.clone()
    pulled[torch.from_numpy(open_disulfide.mask("126-128"))] += FAR
    assert field(Disulfide).bind(open_disulfide)(pulled) == 0


def test_iron_is_held_by_its_four_cysteines(iron):
    """Rubredoxin: each bond is near its best, and what Lennard-Jones spheres say against it is taken away."""
    assert -4 * (3.0 + 2.0) < energy(Metal, iron) < -4 * 3.0
    away = iron.coords.clone()
    away[torch.from_numpy(iron.topology.atom_names == "FE")] += FAR
    assert field(Metal).bind(iron)(away) == 0


def test_what_the_tables_do_not_know_as_metal_is_an_obstacle(iron):
    protein = iron.protein()
    assert energy(Metal, protein) == 0


def test_flat_groups_like_each_other_and_not_the_open(trp_cage):
    assert energy(Pi, trp_cage) < -0.5
    alone = trp_cage.select("6")
    assert energy(Pi, alone) == 0


def test_ammonium_likes_rings_where_it_is_charged(trp_cage):
    """Lysine's nitrogen 4 Å above the face of tryptophan."""
    ring, lysine = trp_cage.select("6"), trp_cage.select("8")
    names = ring.topology.atom_names
    corners = ring.coords[torch.from_numpy(np.isin(names, ["CD2", "CE2", "CE3", "CZ2", "CZ3", "CH2"]))]
    normal = torch.linalg.cross(corners[1] - corners[0], corners[3] - corners[0])
    nitrogen = lysine.coords[torch.from_numpy(lysine.topology.atom_names == "NZ")][0]
    target = corners.mean(0) + 4.0 * normal / normal.norm()
    both = ring.concatenated(lysine.with_coords(lysine.coords + target - nitrogen))
    assert energy(Pi, both, ph=7.0) < -0.6
    assert energy(Pi, both, ph=7.0) < energy(Pi, both, ph=13.0) - 0.5


def test_a_helix_ends_in_half_a_charge(helix):
    """A negative charge gains at the start of a helix and loses at its end, beside what other charges do to it."""
    residues = helix.backbone()
    aspartate = helix.select("9")
    oxygen = aspartate.coords[torch.from_numpy(np.isin(aspartate.topology.atom_names, ["OD1", "OD2"]))].mean(0)
    carbons = residues.coords[torch.from_numpy(residues.topology.atom_names == "CA")]
    along = (carbons[-2:].mean(0) - carbons[:2].mean(0)) / (carbons[-2:].mean(0) - carbons[:2].mean(0)).norm()
    side = aspartate.select("name CB CG OD1 OD2 CA")

    def gain(place: torch.Tensor) -> float:
        both = residues.concatenated(side.with_coords(side.coords + place - oxygen))
        with_dipole, without = field(Electrostatics), field(Electrostatics)
        without.terms[0].get_parameter("log_helix_charge").data.fill_(-math.inf)
        return sum(sign * f.bind(both)(both.coords).item() for sign, f in ((1, with_dipole), (-1, without)))

    start, end = carbons[:3].mean(0) - 5.0 * along, carbons[-3:].mean(0) + 5.0 * along
    assert gain(start) < gain(start + FAR) - 0.1
    assert gain(end) > gain(end + FAR) + 0.1


def test_water_bridges_join_side_chains_with_others(trp_cage):
    assert -5.0 < energy(WaterBridge, trp_cage) < -0.05
    assert energy(WaterBridge, trp_cage.backbone()) == 0


def test_the_unfolded_chain_does_not_depend_on_places(trp_cage):
    system = field(Unfolded).bind(trp_cage)
    assert system(trp_cage.coords) == system(trp_cage.coords * 2.0)
    both = trp_cage.concatenated(trp_cage)
    assert energy(Unfolded, both) == pytest.approx(2 * energy(Unfolded, trp_cage))


@pytest.mark.slow
def test_no_file_of_the_hostile_corpus_gives_a_number_that_is_none(shared):
    """Each readable one of up to 3,000 atoms: energy and gradient are finite."""
    files = sorted(
        path for path in (shared / "nasty").rglob("*") if path.is_file() and path.stat().st_size < 400_000
    )
    done = 0
    for path in files:
        try:
            structure = read(path)
        except Exception:  # what cannot be read is for io to say
            continue
        if not hasattr(structure, "topology") or not 0 < structure.n_atoms < 3000:
            continue
        coords = structure.model(0).coords.clone().requires_grad_()
        system = ForceField([make() for make in TERMS]).bind(structure)
        found = system(coords)
        assert found.isfinite(), path.name
        assert torch.autograd.grad(found, coords)[0].isfinite().all(), path.name
        done += 1
    assert done > 20
