"""Ramachandran, rotamers, Cβ, bonds, angles and hands: laws, and the numbers of cctbx."""

import json
import math

import numpy as np
import pytest
import torch

from motet import io
from motet.errors import NoProteinError
from motet.validation import (
    RAMACHANDRAN,
    Peptide,
    Verdict,
    angles,
    bonds,
    cbeta,
    mirrored,
    molprobity_score,
    peptides,
    ramachandran,
    rotamers,
    validated,
)
from motet.validation.grids import grid_of, grids, share_rarer

REFERENCE = "validation_cctbx.json"


@pytest.fixture(scope="module")
def trp_cage(examples):
    return io.read(examples / "1l2y.pdb")


@pytest.fixture(scope="module")
def reference(request):
    path = request.config.rootpath / "tests" / "references" / REFERENCE
    return json.loads(path.read_text())


def wide(structure):
    return structure.coords.reshape(-1, structure.n_atoms, 3)[0].double()


def compared(structure, values, expected):
    """Values of the residues that the reference names, beside its own."""
    labels = {structure.topology.residue_label(row): row for row in range(structure.n_residues)}
    rows = [labels[label] for label, _ in expected]
    return values[rows].tolist(), [value for _, value in expected]


def test_shares_are_cctbx_s_residue_by_residue(trp_cage, reference):
    expected = reference["residues"]["1l2y"]
    topology, coords = trp_cage.topology, wide(trp_cage)
    ours, theirs = compared(trp_cage, ramachandran(topology, coords).share, expected["ramachandran"])
    assert ours == pytest.approx(theirs, abs=2e-4, rel=2e-3)
    ours, theirs = compared(trp_cage, rotamers(topology, coords).share, expected["rotamers"])
    assert ours == pytest.approx(theirs, abs=2e-4, rel=2e-3)
    ours, theirs = compared(trp_cage, cbeta(topology, coords).deviation, expected["cbeta"])
    assert ours == pytest.approx(theirs, abs=2e-3)


@pytest.mark.parametrize("name", ["1ubq", "1aki", "4ake_A", "5v2d", "5opj", "5umr", "6f8b"])
def test_every_verdict_is_cctbx_s(name, shared, reference):
    structure = io.read(shared / "structures" / f"{name}.pdb")
    topology, coords = structure.topology, wide(structure)
    expected = reference["structures"][name]
    backbone, chains = ramachandran(topology, coords).verdict, rotamers(topology, coords).verdict.clone()
    chains[torch.from_numpy(np.isin(topology.residue_names, ("ARG", "LYS")))] = int(Verdict.UNJUDGED)
    for ours, theirs in ((backbone, expected["ramachandran"]), (chains, expected["rotamers"])):
        assert [int((ours == k).sum()) for k in range(3)] == theirs
    assert int(cbeta(topology, coords).outlier.sum()) == expected["cbeta_outliers"]


def test_a_grid_reads_itself_at_its_centres_and_closes_on_itself():
    grid = grids()["general"]
    centres = torch.deg2rad(torch.tensor([[-179.0, -179.0], [-63.0, -43.0], [179.0, 1.0]], dtype=torch.float64))
    expected = [grid[0, 0].item(), grid[58, 68].item(), grid[179, 90].item()]
    assert share_rarer("general", centres).tolist() == pytest.approx(expected, rel=1e-6)
    turned = centres + torch.tensor([math.tau, -math.tau], dtype=torch.float64)
    torch.testing.assert_close(share_rarer("general", turned), share_rarer("general", centres))
    edge = torch.tensor([[math.pi, 2.0], [-math.pi, 2.0]], dtype=torch.float64)
    first, second = share_rarer("general", edge).tolist()
    assert first == pytest.approx(second)


def test_a_half_turn_of_a_symmetric_end_changes_nothing():
    chis = torch.tensor([[-1.2, 1.5], [-1.2, 1.5 - math.pi]])
    first, second = share_rarer("phetyr", chis).tolist()
    assert first == pytest.approx(second, abs=1e-5)
    assert grid_of("TYR") == grid_of("PHE") == "phetyr"
    assert grid_of("GLY") is None


def test_common_places_are_common_in_every_grid():
    """Helix, and the staggered trans chain: arginine's and lysine's grids, which are made here, among them."""
    helix = torch.deg2rad(torch.tensor([-62.0, -42.0]))
    assert share_rarer("general", helix) > 0.9
    assert share_rarer("trans_proline", -helix) < 0.001  # a left-handed helix
    long = torch.deg2rad(torch.tensor([-67.0, 180.0, 180.0, 180.0]))
    for name in ("arg", "lys"):
        assert share_rarer(name, long) > 0.5
        assert share_rarer(name, torch.deg2rad(torch.tensor([120.0, 0.0, 0.0, 0.0]))) < 0.003
    assert all(grid.min() >= 0 and grid.max() <= 1 for grid in grids().values())


def test_the_grids_made_here_call_as_many_outliers_as_they_should():
    """By definition three residues in a thousand; a grid is asked of its own cells, weighed by what is in them."""
    for name in ("arg", "lys", "gln", "met"):
        values = grids()[name].flatten()
        assert values.max() == pytest.approx(1.0, abs=0.05)
        assert 0.02 < (values > 0.003).float().mean() < 0.35


def test_a_mirror_image_has_every_hand_wrong_and_no_other_bond(trp_cage):
    topology, coords = trp_cage.topology, wide(trp_cage)
    assert not mirrored(topology, coords).any()
    reflected = coords * torch.tensor([1.0, 1.0, -1.0], dtype=coords.dtype)
    chiral = topology.residue_names != "GLY"
    assert (mirrored(topology, reflected).numpy() == chiral).all()
    torch.testing.assert_close(bonds(topology, reflected).z, bonds(topology, coords).z)
    torch.testing.assert_close(angles(topology, reflected).z, angles(topology, coords).z)


def test_a_stretched_bond_is_an_outlier_and_the_only_new_one(trp_cage):
    topology, coords = trp_cage.topology, wide(trp_cage).clone()
    before = bonds(topology, coords)
    cb, cg = topology.atom_index("CB")[5], topology.atom_index("CG")[5]  # TRP6
    side = np.flatnonzero(
        (topology.residue_of_atom == 5) & ~np.isin(topology.atom_names, "N CA C O CB H HA".split())
    )
    coords[side] += 0.3 * torch.nn.functional.normalize(coords[cg] - coords[cb], dim=0)
    after = bonds(topology, coords)
    new = after.outlier & ~before.outlier
    assert after.atoms[new].tolist() == [[cb, cg]]
    assert after.z[new].item() > 8


def test_a_turned_peptide_is_twisted_then_cis(trp_cage):
    topology, coords = trp_cage.topology, wide(trp_cage)
    omega, kind = peptides(topology, coords)
    assert kind[0] == Peptide.NONE
    assert (kind[1:] == Peptide.TRANS).all()
    c, n = topology.atom_index("C")[7], topology.atom_index("N")[8]
    after = torch.from_numpy(topology.residue_of_atom >= 8)
    for degrees, expected in ((60.0, Peptide.TWISTED), (180.0, Peptide.CIS)):
        axis = torch.nn.functional.normalize(coords[n] - coords[c], dim=0) * math.radians(degrees)
        x, y, z = axis.tolist()
        spin = torch.tensor([[0.0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=coords.dtype)
        turned = coords.clone()
        turned[after] = (coords[after] - coords[n]) @ torch.linalg.matrix_exp(spin).T + coords[n]
        there, found = peptides(topology, turned)
        assert found[8] == expected
        assert abs(there[8] - omega[8]).remainder(math.tau).item() == pytest.approx(
            math.radians(degrees), abs=1e-6
        ) or abs(there[8] - omega[8]).item() == pytest.approx(math.tau - math.radians(degrees), abs=1e-6)
        assert found[8 + 1 :].eq(Peptide.TRANS).all()


def test_a_proline_changes_its_distribution_with_its_peptide(trp_cage):
    topology, coords = trp_cage.topology, wide(trp_cage)
    row = 11  # PRO12, after GLY11
    c, n = topology.atom_index("C")[row - 1], topology.atom_index("N")[row]
    after = torch.from_numpy(topology.residue_of_atom >= row)
    axis = torch.nn.functional.normalize(coords[n] - coords[c], dim=0) * math.pi
    x, y, z = axis.tolist()
    spin = torch.linalg.matrix_exp(torch.tensor([[0.0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=coords.dtype))
    turned = coords.clone()
    turned[after] = (coords[after] - coords[n]) @ spin.T + coords[n]
    kinds = ramachandran(topology, torch.stack((coords, turned))).kind[:, row]
    assert [RAMACHANDRAN[kind] for kind in kinds.tolist()] == ["trans_proline", "cis_proline"]


def test_validation_of_many_models_is_that_of_each(trp_cage):
    shaken = 0.2 * torch.randn(4, trp_cage.n_atoms, 3, generator=torch.Generator().manual_seed(0))
    four = trp_cage.with_coords(trp_cage.model(0).coords + shaken)
    together = validated(four)
    assert len(together.summaries) == 4
    assert len({summary.clashscore for summary in together.summaries}) > 1
    for index, summary in enumerate(together.summaries):
        alone = validated(four.model(index))
        assert vars(summary) == pytest.approx(vars(alone.summaries[0]), rel=1e-4, abs=1e-4)
        assert torch.equal(together.clashes_of_residue[index], alone.clashes_of_residue[0])
        torch.testing.assert_close(together.bond_z[index], alone.bond_z[0])


def test_validation_ignores_rigid_motion(trp_cage):
    one = trp_cage.model(0).to(torch.float64)
    spin = torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64)
    moved = one.with_coords(one.coords @ torch.linalg.matrix_exp(spin) + 7)
    assert vars(validated(moved).summaries[0]) == pytest.approx(vars(validated(one).summaries[0]), abs=1e-6)


def test_nothing_is_nan_where_atoms_coincide(trp_cage):
    one = trp_cage.model(0).residues(1, 6)
    found = validated(one.with_coords(torch.zeros_like(one.coords)))
    assert all(math.isfinite(value) for value in vars(found.summaries[0]).values())
    assert found.bond_z.isfinite().all()
    assert found.cbeta.deviation.isfinite().all()


def test_a_file_without_protein_is_refused(trp_cage):
    waters = trp_cage.subset(np.zeros(trp_cage.n_atoms, dtype=bool))
    with pytest.raises(NoProteinError):
        validated(waters)


@pytest.mark.parametrize(
    ("clashscore", "rotamer_outliers", "favoured", "expected"),
    # 0.5 is the best there is; the others by hand from the published formula.
    [(0.0, 0.0, 100.0, 0.5), (10.0, 3.0, 95.0, 2.2306), (3.0, 1.0, 98.0, 1.0906)],
)
def test_the_molprobity_score_is_the_published_formula(clashscore, rotamer_outliers, favoured, expected):
    assert molprobity_score(clashscore, rotamer_outliers, favoured) == pytest.approx(expected, abs=1e-4)
