"""Stability changes: laws first, then what everybody knows of proteins."""

import csv
import hashlib
from importlib.resources import files

import numpy as np
import pytest
import torch

from motet.ensemble import prepared
from motet.ensemble.ddg import (
    Journal,
    StabilityChange,
    StabilityModel,
    parse_mutants,
    read_mutants,
    saturation,
    stability_changes,
    write_changes,
    write_changes_parquet,
)
from motet.ensemble.ddg.environment import FEATURES, environment
from motet.ensemble.ddg.packed_pairs import PackedPair, packed_pairs, physics, tempered, term_changes
from motet.ensemble.ddg.preferences import LETTERS, places_of
from motet.ensemble.ddg.site_model import SiteModel, site_energies
from motet.ensemble.ddg.surroundings import surroundings
from motet.errors import FormatError, MutationError, ResumeError
from motet.forcefield import Conditions, ForceField
from motet.io import read


@pytest.fixture(scope="module")
def trp_cage(examples):
    return prepared(read(examples / "1l2y.pdb")).model(0)


@pytest.fixture(scope="module")
def ubiquitin(shared):
    return prepared(read(shared / "structures" / "1ubq.pdb")).model(0)


def test_read_backwards_a_pair_changes_sign(trp_cage):
    field = physics()
    (pair,) = packed_pairs(trp_cage, [["A:L7A"]], field)
    back = PackedPair(pair.mutant, pair.wild_type)
    with torch.no_grad():
        there, here = (term_changes([one], field, Conditions()) for one in (pair, back))
    assert there.abs().max() > 0.1
    torch.testing.assert_close(tempered(there, field.names), -tempered(here, field.names), atol=1e-4, rtol=1e-4)


def test_strain_counts_less_the_more_there_is_and_the_unfolded_chain_in_full():
    names = physics().names
    changes = torch.linspace(-1000.0, 1000.0, 401)[:, None].expand(-1, len(names))
    counted = tempered(changes, names)
    unfolded = names.index("unfolded")
    torch.testing.assert_close(counted[:, unfolded], changes[:, unfolded])
    strain = torch.cat((counted[:, :unfolded], counted[:, unfolded + 1 :]), dim=-1)
    assert (strain.diff(dim=0) > 0).all()
    assert strain.abs().max() < 40.0
    small = torch.full((1, len(names)), 0.1)
    torch.testing.assert_close(tempered(small, names), small, rtol=1e-3, atol=0.0)


def test_a_mutation_and_its_inverse_cancel_in_the_site_model(trp_cage):
    mutant = trp_cage.mutated("A:L7A")
    with torch.no_grad():
        before, after = (site_energies(SiteModel(), one)[6] for one in (trp_cage, mutant))
    torch.testing.assert_close(before, after)


def test_the_methionine_that_begins_a_chain_is_no_better_than_other_residues(ubiquitin):
    with torch.no_grad():
        energies = site_energies(SiteModel(), ubiquitin)
        places, _ = places_of(ubiquitin)
        as_found = SiteModel()(places)[0]
    methionine = LETTERS.index("M")
    assert as_found[0].argmin() == methionine  # families begin with it
    others = torch.cat((energies[0, :methionine], energies[0, methionine + 1 :]))
    assert energies[0, methionine].item() == pytest.approx(others.mean().item(), abs=1e-5)
    torch.testing.assert_close(energies[1:], as_found[1:])


def test_parts_add_up(trp_cage):
    for change in stability_changes(trp_cage, [["A:L7A"], ["A:Y3F", "A:W6F"]]):
        assert change.ddg == pytest.approx(sum(change.parts.values()))
        assert set(change.parts) == {*physics().names, "site_model"}


def test_an_answer_depends_on_nobody_else_in_the_call(trp_cage):
    mutants = [[f"A:L7{new}"] for new in "AVF"] + [["A:K8E"]]
    together = stability_changes(trp_cage, mutants)
    alone = [stability_changes(trp_cage, [one])[0] for one in mutants]
    assert [one.ddg for one in together] == pytest.approx([one.ddg for one in alone], abs=1e-3)


def test_the_same_seed_gives_the_same_answer(trp_cage):
    first, second = (stability_changes(trp_cage, [["A:W6A"]], StabilityModel(seed=4)) for _ in range(2))
    assert first == second


def test_the_site_model_can_be_left_out(trp_cage):
    (change,) = stability_changes(trp_cage, [["A:L7A"]], StabilityModel(with_sites=False))
    assert "site_model" not in change.parts


def test_far_mutations_made_at_once_add_up(ubiquitin):
    one, other, both = stability_changes(ubiquitin, [["A:L15A"], ["A:L43A"], ["A:L15A", "A:L43A"]])
    assert both.ddg == pytest.approx(one.ddg + other.ddg, abs=0.35 * abs(both.ddg))


CORE = [["A:I30A"], ["A:L43A"], ["A:L50A"], ["A:V26A"], ["A:I61A"], ["A:L67A"]]
SURFACE = [["A:K63A"], ["A:E64A"], ["A:K48A"], ["A:Q62A"], ["A:E18A"], ["A:K33A"]]


def test_a_backbone_a_quarter_of_an_angstrom_away_says_much_the_same(ubiquitin):
    """So far apart are two crystals of one protein; near residues move alike."""
    residue = torch.tensor(ubiquitin.topology.residue_of_atom)
    ca = ubiquitin.coords[torch.tensor(ubiquitin.topology.backbone[:76, 1])].double()
    alike = (-torch.cdist(ca, ca).square() / 50).exp() + 1e-3 * torch.eye(76, dtype=torch.float64)
    random = torch.randn(76, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    moves = 0.25 / 3**0.5 * torch.linalg.cholesky(alike) @ random
    inside = (residue < 76)[:, None]
    moved = ubiquitin.coords + torch.where(inside, moves[residue.clamp_max(75)], 0.0).to(ubiquitin.coords)
    here, there = (
        np.array([one.ddg for one in stability_changes(structure, CORE + SURFACE)])
        for structure in (ubiquitin, ubiquitin.with_coords(moved))
    )
    assert not np.allclose(here, there, atol=0.01)
    assert np.corrcoef(here, there)[0, 1] > 0.98
    assert np.abs(here - there).mean() < 0.1 * here.std()


def test_emptying_the_core_costs_more_than_trimming_the_surface(ubiquitin):
    for with_sites in (True, False):
        changes = stability_changes(ubiquitin, CORE + SURFACE, StabilityModel(with_sites=with_sites))
        inside, outside = np.array([one.ddg for one in changes]).reshape(2, 6)
        assert inside.mean() > outside.mean() + 1.0


def test_cut_out_surroundings_carry_no_new_charge(ubiquitin):
    part = surroundings(ubiquitin, ["A:L43A"])
    assert part.structure.n_residues < ubiquitin.n_residues
    assert part.turning[part.sites].all()
    whole = {group_label(ubiquitin, one) for one in groups(ubiquitin)}
    assert {group_label(part.structure, one) for one in groups(part.structure)} <= whole


def groups(structure):
    from motet.forcefield.ionisation import ionisable_groups
    from motet.forcefield.layout import lay_out

    return ionisable_groups(lay_out([structure]), Conditions())


def group_label(structure, group):
    return structure.topology.residue_label(group.residue), len(group.atoms)


def test_surroundings_do_not_ask_what_stands_at_the_site(ubiquitin):
    mutant = ubiquitin.mutated("A:L43W")
    first, second = surroundings(ubiquitin, ["A:L43A"]), surroundings(mutant, ["A:W43A"])
    near = [
        {one.structure.topology.residue_numbers[k] for k in np.flatnonzero(one.turning)} for one in (first, second)
    ]
    assert near[0] == near[1]


def test_environment_ignores_rigid_motion(trp_cage):
    spin = torch.linalg.matrix_exp(torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]]))
    moved = trp_cage.with_coords(trp_cage.coords.float() @ spin + 5)
    first, second = (environment(places_of(one)[0]) for one in (trp_cage.to(torch.float32), moved))
    torch.testing.assert_close(first, second, atol=1e-3, rtol=1e-3)
    assert first.shape[-1] == len(FEATURES)


def test_preferences_are_probabilities_and_ignore_rigid_motion(trp_cage):
    model = SiteModel()
    places = places_of(trp_cage.to(torch.float32))[0]
    with torch.no_grad():
        costs = model.preferences(places)
    torch.testing.assert_close((-costs).exp().sum(-1), torch.ones(1, 20, 2))


def test_glycine_is_preferred_where_only_glycine_can_turn(trp_cage):
    """Residue 11 of Trp-cage is a glycine with a left-handed backbone."""
    with torch.no_grad():
        row = site_energies(SiteModel(), trp_cage)[10]
    assert row[LETTERS.index("G")] < row[LETTERS.index("V")]


def test_stability_weights_are_those_of_the_table():
    alone, beside = ForceField.stability(), ForceField.stability(beside_sites=True)
    assert (alone.weights >= 0).all()
    assert not torch.equal(alone.weights, beside.weights)
    assert "covalent" not in alone.names


def test_the_network_is_the_one_that_its_table_names():
    tables = files("motet.ensemble.ddg.tables")
    digest = hashlib.sha256((tables / "preferences.safetensors").read_bytes()).hexdigest()
    assert f"SHA-256 of preferences.safetensors: {digest}" in (tables / "preferences.csv").read_text()


def test_a_scan_covers_nineteen_of_every_place(trp_cage):
    assert len(saturation(trp_cage, "A:7")) == 19
    assert len(saturation(trp_cage, "all")) == 19 * 20
    with pytest.raises(MutationError, match="no residue"):
        saturation(trp_cage, "A:99")


def test_mutants_are_read_as_they_are_written(tmp_path):
    assert parse_mutants(["A:L14A", "A:L14A;A:K7E"]) == [("A:L14A",), ("A:L14A", "A:K7E")]
    table = tmp_path / "mutants.csv"
    table.write_text("chain,mutation\nA,L14A\nB,K7E;L14A\n")
    assert read_mutants(table) == [("A:L14A",), ("B:K7E", "B:L14A")]
    table.write_text("A:L14A\nA:K7E\n")
    assert read_mutants(table) == [("A:L14A",), ("A:K7E",)]
    table.write_text("\n")
    with pytest.raises(FormatError, match="names no mutation"):
        read_mutants(table)


def test_tables_hold_what_was_predicted(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    changes = [StabilityChange(("A:L14A",), 1.5, {"vdw": 1.0, "clash": 0.5})]
    write_changes(changes, tmp_path / "ddg.csv")
    write_changes_parquet(changes, tmp_path / "ddg.parquet")
    with (tmp_path / "ddg.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert row == {
        "mutation": "A:L14A",
        "ddg_kcal_mol": "1.5000",
        "vdw_kcal_mol": "1.0000",
        "clash_kcal_mol": "0.5000",
    }
    assert parquet.read_table(tmp_path / "ddg.parquet").to_pylist()[0]["ddg_kcal_mol"] == 1.5


def test_a_journal_goes_on_where_it_was_cut_off(tmp_path):
    journal = Journal(tmp_path, {"seed": 0})
    changes = [StabilityChange((f"A:L{number}A",), 1.0, {"vdw": 1.0}) for number in range(3)]
    for change in changes:
        journal.add(change)
    with (tmp_path / ".motet-parts/changes.jsonl").open("a") as sink:
        sink.write('{"mutations": ["A:')
    assert Journal(tmp_path, {"seed": 0}).read() == changes
    with pytest.raises(ResumeError, match="seed"):
        Journal(tmp_path, {"seed": 1})


def test_a_wrong_mutation_is_refused_before_anything_is_computed(trp_cage):
    with pytest.raises(MutationError, match="is not ALA"):
        stability_changes(trp_cage, [["A:L7A"], ["A:A7L"]])
