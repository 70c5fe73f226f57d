"""Exports: tables and models say what the analysis says."""

import csv

import pytest
import torch

from motet.ensemble import Langevin, Plan, analyse, produce
from motet.ensemble.exports import export
from motet.io import read

from .springs import Springs


@pytest.fixture(scope="module")
def exported(examples, tmp_path_factory):
    """A springy Trp-cage, analysed and written."""
    start = read(examples / "1l2y.pdb")
    generator = Langevin(replicas=4, burn_in=5, interval=20, timestep=4.0)
    analysis = analyse(
        produce(start, Springs(start.coords, stiffness=2.0), generator, Plan(count=12, relax_steps=0))
    )
    directory = tmp_path_factory.mktemp("exported")
    (directory / "state-9.pdb").write_text("of an earlier run\n")
    export(analysis, directory)
    return analysis, directory


def rows_of(path):
    with path.open() as source:
        return list(csv.DictReader(source))


def test_residues_have_their_numbering_and_their_rmsf(exported):
    analysis, directory = exported
    rows = rows_of(directory / "residues.csv")
    assert [row["residue"] for row in rows][:3] == ["ASN", "LEU", "TYR"]
    assert [float(row["rmsf"]) for row in rows] == pytest.approx(analysis.observables.rmsf.tolist(), abs=1e-3)


def test_states_add_up(exported):
    analysis, directory = exported
    rows = rows_of(directory / "states.csv")
    assert sum(int(row["conformations"]) for row in rows) == 12
    assert len(rows) == len(analysis.states)
    assert len(list(directory.glob("state-*.pdb"))) == len(rows)  # the earlier run's is gone


def test_models_are_superposed_and_all_there(exported):
    _, directory = exported
    back = read(directory / "ensemble.pdb")
    assert back.n_models == 12
    centres = back.coords.mean(-2)
    assert (centres - centres.mean(0)).norm(dim=-1).max() < 1.0


def test_fluctuations_stand_in_the_b_factor_column(exported):
    analysis, directory = exported
    back = read(directory / "rmsf.pdb")
    carbons = torch.from_numpy(back.topology.atom_index("CA"))
    torch.testing.assert_close(back.b_factors[carbons], analysis.observables.rmsf, atol=0.006, rtol=0)


def test_occupancies_are_shares(exported):
    _, directory = exported
    values = [float(row["occupancy"]) for row in rows_of(directory / "contacts.csv")]
    assert values
    assert all(0 < value <= 1.0005 for value in values)
