"""What is written reads back equal: topology by content, coordinates to the three decimals of the formats."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motet import io
from motet.errors import FormatError, MotetError
from motet.structure import Structure, Topology

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
FILES = [
    *sorted(ROOT.glob("examples/*.pdb")),
    *sorted(SHARED.glob("structures/*.pdb")),
    *sorted(SHARED.glob("density/*/*.pdb")),
    *sorted(path for path in SHARED.glob("nasty/*/*") if ".pdb" in path.name or ".cif" in path.name),
]
HUGE = ("bomb1g.pdb.gz", "hybrid36_53k.pdb.gz")
CASES = [pytest.param(path, marks=pytest.mark.slow if path.name in HUGE else (), id=path.name) for path in FILES]


def same(written: Structure, read: Structure) -> None:
    assert read.topology == written.topology
    assert read.coords.shape == written.coords.shape
    assert (read.coords.double() - written.coords.double()).abs().max() <= 0.00101
    assert (read.occupancies - written.occupancies).abs().max() <= 0.00501
    assert (read.b_factors - written.b_factors).abs().max() <= 0.00501
    assert read.b_factor_meaning == written.b_factor_meaning


@pytest.mark.parametrize("suffix", [".pdb", ".cif"])
@pytest.mark.parametrize("path", CASES)
def test_a_real_file_survives(path, suffix, tmp_path):
    try:
        structure = io.read(path)
    except MotetError as refusal:
        pytest.skip(f"refused, rightly: {refusal.args[0][-60:]}")
    target = tmp_path / f"copy{suffix}"
    if suffix == ".pdb" and path.name in ("biotite__7gsa.cif", "longchain.cif"):
        with pytest.raises(FormatError, match=r"does not fit the PDB format.*\.cif"):
            io.write(structure, target)
        assert not target.exists()
        return
    io.write(structure, target)
    same(structure, io.read(target))


@pytest.fixture(scope="module")
def cage():
    return io.read(ROOT / "examples" / "1l2y.pdb").model(0)


def scrambled(cage: Structure, keep, numbers, codes, chain, charges) -> Structure:
    """The residues of `keep` under other numbers, codes, chain and charges."""
    topology = cage.topology
    mask = np.isin(topology.residue_of_atom, keep)
    part = cage.subset(mask)
    count = part.n_residues
    changed: Topology = replace(
        part.topology,
        residue_numbers=np.array(numbers[:count], dtype=np.int64),
        insertion_codes=np.array(codes[:count], dtype=np.str_),
        chain_ids=np.array([chain]),
        formal_charges=np.resize(np.array(charges, dtype=np.int64), part.n_atoms),
    )
    return replace(part, topology=changed)


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".pdb.gz", ".cif.gz"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keep=st.lists(st.integers(0, 19), min_size=1, unique=True),
    numbers=st.lists(st.integers(-999, 40_000), min_size=20, max_size=20, unique=True),
    codes=st.lists(st.sampled_from(["", "A", "Z", "7"]), min_size=20, max_size=20),
    chain=st.sampled_from(["A", "z", "0", "#", "'", "_", "?"]),
    charges=st.lists(st.integers(-2, 2), min_size=1, max_size=9),
    models=st.integers(1, 3),
    shift=st.floats(-900, 5000),
)
def test_any_numbering_survives(cage, tmp_path, suffix, keep, numbers, codes, chain, charges, models, shift):
    codes = [code if not code.isdigit() or suffix.startswith(".cif") else "" for code in codes]
    structure = scrambled(cage, sorted(keep), numbers, codes, chain, charges)
    coords = (structure.coords + shift).float()
    if models > 1:
        coords = torch.stack([coords + 0.01 * k for k in range(models)])
    structure = structure.with_coords(coords)
    target = tmp_path / f"made{suffix}"
    io.write(structure, target, overwrite=True)
    same(structure, io.read(target))


def test_equal_structures_give_equal_bytes(cage, tmp_path):
    for name in ("a.pdb.gz", "b.pdb.gz"):
        io.write(cage, tmp_path / name)
    assert (tmp_path / "a.pdb.gz").read_bytes() == (tmp_path / "b.pdb.gz").read_bytes()


def test_plddt_stays_plddt(cage, tmp_path):
    predicted = replace(cage, b_factor_meaning="pLDDT", b_factors=torch.full_like(cage.b_factors, 91.5))
    for name in ("a.pdb", "a.cif"):
        io.write(predicted, tmp_path / name)
        assert io.read(tmp_path / name).b_factor_meaning == "pLDDT"


@pytest.mark.slow
def test_more_atoms_than_the_format_has_numbers_survive(cage, tmp_path):
    """Hybrid-36 serials: past 99,999 in 650 copies of the cage, 100 Å apart, in one file."""
    copies = 650
    topology = cage.topology
    size, count = topology.n_atoms, topology.n_residues
    many = replace(
        topology,
        **{
            name: np.tile(getattr(topology, name), copies) for name in ("atom_names", "elements", "formal_charges")
        },
        **{
            name: np.tile(getattr(topology, name), copies)
            for name in ("residue_names", "insertion_codes", "residue_kinds")
        },
        residue_of_atom=(topology.residue_of_atom + count * np.arange(copies)[:, None]).ravel(),
        residue_numbers=np.arange(count * copies),
        chain_of_residue=np.zeros(count * copies, dtype=np.int64),
        bonds=(topology.bonds + size * np.arange(copies)[:, None, None]).reshape(-1, 2),
    )
    grid = torch.stack(torch.meshgrid(*[torch.arange(9.0)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)[:copies]
    structure = Structure(
        many,
        (cage.coords + 100 * grid).reshape(-1, 3),
        cage.b_factors.repeat(copies),
        cage.occupancies.repeat(copies),
    )
    assert structure.n_atoms > 100_000
    io.write(structure, tmp_path / "many.pdb")
    same(structure, io.read(tmp_path / "many.pdb"))
