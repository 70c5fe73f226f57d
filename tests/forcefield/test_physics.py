"""What any force field of proteins must know."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from motet.errors import ConfigError, NonFiniteError, TopologyMismatchError
from motet.forcefield import EnergySum, ForceField, PositionRestraint, ideal_bond_lengths
from motet.forcefield.ionisation import ionisable_groups
from motet.forcefield.terms import Covalent, Electrostatics, HydrogenBond
from motet.geometry import neighbour_pairs, rmsd
from motet.io import read

HELIX, EXTENDED = (-63.0, -42.0), (-135.0, 135.0)


@pytest.fixture(scope="module")
def ubiquitin(shared):
    structure = read(shared / "structures" / "1ubq.pdb").protein()
    return structure.with_coords(structure.model(0).coords.double())


def field(*terms) -> ForceField:
    return ForceField([term() for term in terms] or None).double()


def stretched(helix, bend):
    turns = (math.radians(EXTENDED[0] - HELIX[0]), math.radians(EXTENDED[1] - HELIX[1]))
    return bend(helix, dict.fromkeys(range(1, helix.n_residues - 1), turns))


def test_a_helix_scores_below_its_extended_chain(helix, bend):
    system = field().bind(helix)
    assert system(helix.coords) < system(stretched(helix, bend).coords) - 5


def test_a_helix_bonds_each_carbonyl_to_the_amide_four_residues_on(helix, bend):
    """N-H of residues 5 to 8 to O of 1 to 4, each worth 1.2 to 2.6 kcal/mol; stretched, the chain has none."""
    backbone = helix.backbone()
    system = field(HydrogenBond).bind(backbone)
    each = system(backbone.coords) / 4
    assert -2.6 < each < -1.2
    assert system(stretched(backbone, bend).coords) > -1


def test_the_native_fold_scores_below_torsion_noise(trp_cage, bend):
    generator = np.random.default_rng(0)
    system = field().bind(trp_cage)
    native = system(trp_cage.coords)
    for _ in range(20):
        turns = {k: tuple(generator.normal(0, 0.3, 2)) for k in range(1, trp_cage.n_residues - 1)}
        assert system(bend(trp_cage, turns).coords) > native


def charge_of(structure, ph: float, residue: str) -> float:
    layout = field(Electrostatics).bind(structure, ph=ph).layout
    conditions = field().bind(structure, ph=ph).conditions
    groups = ionisable_groups(layout, conditions)
    return sum(g.charge for g in groups if layout.residue_names[g.residue] == residue)


def test_acid_neutralises_aspartate(trp_cage):
    inner = trp_cage.residues(8, 10)
    assert charge_of(inner, 7.0, "ASP") == pytest.approx(-1, abs=0.01)
    assert charge_of(inner, 3.0, "ASP") == pytest.approx(-0.11, abs=0.02)
    assert charge_of(inner, 1.0, "ASP") == pytest.approx(0, abs=0.01)


def two_lysines(trp_cage, apart: float):
    lysine = trp_cage.select("8")
    partner = lysine.with_coords(lysine.coords + torch.tensor([apart, 0.0, 0.0], dtype=torch.float64))
    return lysine.concatenated(partner)


def test_salt_weakens_the_repulsion_of_like_charges(trp_cage):
    pair, alone = two_lysines(trp_cage, 8.0), two_lysines(trp_cage, 60.0)

    def repulsion(salt: float) -> float:
        system = field(Electrostatics).bind(pair, ionic_strength=salt, ph=9.2)
        return (system(pair.coords) - system(alone.coords)).item()

    assert repulsion(0.0) > repulsion(0.05) > repulsion(0.5) > 0


def test_opposite_charges_attract(trp_cage):
    """The salt bridge of Asp 9 and Arg 16 is worth something, and less where acid neutralises the aspartate."""
    bridge = trp_cage.select("9 16")
    apart = bridge.coords.clone()
    apart[torch.from_numpy(bridge.mask("16"))] += 60.0

    def gain(ph: float) -> float:
        system = field(Electrostatics).bind(bridge, ph=ph)
        return (system(bridge.coords) - system(apart)).item()

    assert gain(7.0) < gain(2.0)
    assert gain(7.0) < -0.2


def test_burying_a_charge_costs(ubiquitin):
    """Carbons set around a charged group press water away from it."""
    lysine = ubiquitin.select("48")
    system = field(Electrostatics)
    shell = ubiquitin.select("not 48 and name CB CG CD1 CD2 CG1 CG2")
    crowd = shell.subset(np.arange(shell.n_atoms) < 60)
    nitrogen = lysine.coords[int(lysine.topology.atom_index("NZ")[0])]
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(60, 3, generator=generator, dtype=torch.float64)
    around = nitrogen + 5.0 * directions / directions.norm(dim=-1, keepdim=True)
    both = lysine.concatenated(crowd.with_coords(around))
    bound = system.bind(both)
    buried = both.coords
    exposed = torch.cat((lysine.coords, around + 100.0))
    assert bound.table(buried).values[0].sum() > bound.table(exposed).values[0].sum() + 1.0


def test_covalent_geometry_of_a_crystal_is_near_its_best(ubiquitin):
    """Engh and Huber's deviations are what they are: less than a few RT a degree of freedom."""
    energy = field(Covalent).bind(ubiquitin)(ubiquitin.coords)
    assert 0 < energy < 0.6 * 3 * ubiquitin.n_atoms


def test_the_mirror_image_of_a_protein_is_far_worse(ubiquitin):
    system = field(Covalent).bind(ubiquitin)
    mirrored = ubiquitin.coords * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    assert system(mirrored) > system(ubiquitin.coords) + 20 * ubiquitin.n_residues


def test_names_of_two_equal_methyls_do_not_matter(ubiquitin):
    """Where a file calls the methyls of valine and leucine the other way round, nothing is strained."""
    names = ubiquitin.topology.atom_names.tolist()
    valines = ubiquitin.mask("resname VAL LEU")
    swap = {"CG1": "CG2", "CG2": "CG1", "CD1": "CD2", "CD2": "CD1"}
    order = np.arange(len(names))
    residues = ubiquitin.topology.residue_of_atom
    place = {(int(r), n): k for k, (r, n) in enumerate(zip(residues, names, strict=True))}
    for k in np.flatnonzero(valines):
        if names[k] in swap:
            order[k] = place[int(residues[k]), swap[names[k]]]
    swapped = ubiquitin.with_coords(ubiquitin.coords[order])
    force_field = field(Covalent)
    here, there = (force_field.bind(one)(one.coords).item() for one in (ubiquitin, swapped))
    assert (order != np.arange(len(names))).sum() > 20
    assert there == pytest.approx(here, abs=20)


def test_energies_add_up(trp_cage):
    system = field().bind(trp_cage)
    restraint = PositionRestraint(trp_cage.coords, stiffness=2.0)
    moved = trp_cage.coords + torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    assert restraint(moved).item() == pytest.approx(trp_cage.n_atoms)
    together = system + 0.3 * restraint
    assert isinstance(together, EnergySum)
    torch.testing.assert_close(together(moved), system(moved) + 0.3 * restraint(moved))


def test_masses_carry_their_hydrogens(trp_cage):
    """Trp-cage weighs 2,169.4 Da, with its carboxylates' protons off and its N-terminus charged."""
    assert field().bind(trp_cage).masses.sum().item() == pytest.approx(2169.4, abs=4.1)


def test_what_is_no_protein_is_an_obstacle(shared):
    """In a crystal structure waters are not seen; ligands are, and stay where they are."""
    structure = read(shared / "nasty" / "real" / "biotite__1o1z.cif")
    topology = structure.topology
    kinds = topology.residue_kinds[topology.residue_of_atom]
    system = ForceField().bind(structure)
    water, obstacle = (torch.from_numpy(kinds == "water"), torch.from_numpy(np.isin(kinds, ("ion", "ligand"))))
    assert water.any()
    assert obstacle.any()
    assert not system.seen[water].any()
    assert system.seen[obstacle].all()
    assert not system.mobile[water | obstacle].any()
    assert system.mobile[torch.from_numpy(topology.is_protein)].float().mean() > 0.9
    coords = structure.model(0).coords
    pushed = torch.where(obstacle[:, None], coords[system.mobile].mean(0), coords)
    assert system(pushed) > system(coords) + 10


@pytest.mark.slow
def test_minimising_a_crystal_structure_removes_clashes_and_moves_little(ubiquitin):
    system = field().bind(ubiquitin)
    start = ubiquitin.coords

    def energy(flat):
        coords = torch.from_numpy(flat).reshape(start.shape).requires_grad_()
        value = system(coords)
        return value.item(), torch.autograd.grad(value, coords)[0].numpy().ravel()

    found = minimize(energy, start.numpy().ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    end = torch.from_numpy(found.x).reshape(start.shape)
    alpha = torch.from_numpy(ubiquitin.topology.atom_names == "CA")
    assert rmsd(end[alpha], start[alpha]) < 1.0
    bonds, lengths = ideal_bond_lengths(ubiquitin)
    stretch = (end[bonds[:, 0]] - end[bonds[:, 1]]).norm(dim=-1) - lengths
    assert stretch.abs().max() < 0.05
    i, j = neighbour_pairs(end, 4.0)
    layout = system.layout
    bonded = {frozenset(pair) for pair in layout.bonds.tolist()}
    bonded |= {frozenset((a, b)) for around in layout.neighbours for a in around for b in around}
    apart = torch.tensor([frozenset(pair) not in bonded for pair in zip(i.tolist(), j.tolist(), strict=True)])
    assert (end[i] - end[j]).norm(dim=-1)[apart].min() > 2.4


def test_wrong_requests_are_named(trp_cage):
    with pytest.raises(ConfigError, match="temperature"):
        ForceField().bind(trp_cage, temperature=0.0)
    with pytest.raises(ConfigError, match="ionic_strength"):
        ForceField().bind(trp_cage, ionic_strength=-1.0)
    system = field().bind(trp_cage)
    with pytest.raises(TopologyMismatchError):
        system(trp_cage.coords[1:])
    with pytest.raises(NonFiniteError):
        system(trp_cage.coords * math.nan)
