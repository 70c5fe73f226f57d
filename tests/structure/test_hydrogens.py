"""Hydrogens: how many, where, and under which names."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.io import read
from motet.structure import Structure


def atom_index(structure):
    return {structure.topology.atom_label(atom): atom for atom in range(structure.n_atoms)}


def names_of(structure, residue):
    first, last = structure.topology.first_atoms[residue : residue + 2]
    return set(structure.topology.atom_names[first:last].tolist())


def hydrogen_lengths(structure):
    bonds = structure.topology.bonds
    bonds = torch.from_numpy(bonds[structure.topology.is_hydrogen[bonds].any(-1)])
    i, j = bonds.unbind(-1)
    return (structure.coords[..., i, :] - structure.coords[..., j, :]).norm(dim=-1)


def nearest_on_the_same_atom(built, reference):
    """Distance of each hydrogen from the nearest of the reference's on the same heavy atom; names as a list."""
    there, here = atom_index(reference), {atom: label for label, atom in atom_index(built).items()}
    of_parent: dict[str, list[int]] = {}
    labels = {atom: label for label, atom in there.items()}
    for i, j in reference.topology.bonds.tolist():
        for parent, hydrogen in ((i, j), (j, i)):
            if reference.topology.is_hydrogen[hydrogen]:
                of_parent.setdefault(labels[parent], []).append(hydrogen)
    found = []
    for i, j in built.topology.bonds.tolist():
        for parent, hydrogen in ((i, j), (j, i)):
            if built.topology.is_hydrogen[hydrogen] and here[parent] in of_parent:
                others = reference.coords[torch.tensor(of_parent[here[parent]])]
                found.append((others - built.coords[hydrogen]).norm(dim=-1).min().item())
    return np.array(found)


def test_every_hydrogen_is_bonded_once_at_a_hydrogen_s_length(lysozyme):
    full = lysozyme.completed(hydrogens=True)
    bonds = full.topology.bonds
    hydrogen = full.topology.is_hydrogen
    degrees = np.bincount(bonds.ravel(), minlength=full.n_atoms)
    assert (degrees[hydrogen] == 1).all()
    assert hydrogen_lengths(full).min() > 0.94
    assert hydrogen_lengths(full).max() < 1.36


def test_the_count_is_another_program_s(shared):
    for name in ("1l2y", "1ubq", "1aki", "4ake_A", "5v2d"):
        heavy = read(shared / "structures" / f"{name}.pdb").protein()
        reference = read(shared / "structures" / f"{name}_H.pdb").protein()
        full = heavy.without_hydrogens().completed(hydrogens=True)
        assert full.topology.is_hydrogen.sum() == reference.topology.is_hydrogen.sum()


def test_an_nmr_structure_s_hydrogens_return_under_their_names(shared):
    reference = read(shared / "nasty" / "real" / "biotite__1l2y.pdb").model(0)
    built = reference.without_hydrogens().completed(hydrogens=True)
    assert set(atom_index(built)) == set(atom_index(reference))
    apart = nearest_on_the_same_atom(built, reference)
    assert np.median(apart) < 0.05
    assert np.mean(apart) < 0.12
    there, here = atom_index(reference), atom_index(built)
    turning = ("HG", "HH", "H1", "H2", "H3", "HZ")
    for label, atom in here.items():
        residue, name = label.split("/")
        methyl = name[:-1] in ("HB", "HG1", "HG2", "HD1", "HD2") and residue[2:5] in "ALA VAL LEU ILE THR"
        if built.topology.is_hydrogen[atom] and not name.startswith(turning) and not methyl:
            assert (built.coords[atom] - reference.coords[there[label]]).norm() < 0.5, label


def test_the_first_residue_is_an_ammonium_and_the_last_a_carboxylate(trp_cage):
    full = trp_cage.completed(hydrogens=True)
    assert {"H1", "H2", "H3"} <= names_of(full, 0)
    assert "H" not in names_of(full, 0)
    assert "HXT" not in names_of(full, full.n_residues - 1)


def test_a_peptide_hydrogen_lies_in_its_plane(trp_cage):
    full = trp_cage.completed(hydrogens=True)
    topology = full.topology
    rows = np.flatnonzero(topology.follows & (topology.atom_index("H") >= 0))
    assert len(rows) > 10
    at = {name: full.coords[torch.from_numpy(topology.atom_index(name)[rows])] for name in ("N", "CA", "H")}
    carbon = full.coords[torch.from_numpy(topology.atom_index("C")[rows - 1])]
    normal = torch.linalg.cross(carbon - at["N"], at["CA"] - at["N"])
    height = ((at["H"] - at["N"]) * normal).sum(-1) / normal.norm(dim=-1)
    assert height.abs().max() < 1e-4


def test_proline_has_no_peptide_hydrogen_and_two_at_the_start(trp_cage):
    full = trp_cage.completed(hydrogens=True)
    prolines = np.flatnonzero(full.topology.residue_names == "PRO")
    assert (full.topology.atom_index("H")[prolines] < 0).all()
    start = trp_cage.select("residues 17-20").completed(hydrogens=True)
    assert {"H2", "H3"} <= names_of(start, 0)
    assert not {"H", "H1"} & names_of(start, 0)


def test_a_residue_after_a_break_keeps_one_peptide_hydrogen(trp_cage):
    broken = trp_cage.select("not residues 8-10").completed(hydrogens=True)
    row = int(np.flatnonzero(broken.topology.residue_numbers == 11)[0])
    assert "H" in names_of(broken, row)
    assert not {"H1", "H2", "H3"} & names_of(broken, row)


def test_disulfides_have_no_thiol(lysozyme):
    full = lysozyme.completed(hydrogens=True)
    cysteines = np.flatnonzero(full.topology.residue_names == "CYS")
    assert (full.topology.atom_index("HG")[cysteines] < 0).all()
    free = lysozyme.select("not residues 6").completed(hydrogens=True)
    assert (free.topology.atom_index("HG")[free.topology.residue_names == "CYS"] >= 0).sum() == 1


@pytest.mark.parametrize(
    ("name", "protons"), [("HID", {"HD1"}), ("HIE", {"HE2"}), ("HIP", {"HD1", "HE2"}), ("HIS", None)]
)
def test_a_histidine_s_name_says_where_its_protons_are(lysozyme, name, protons):
    names = lysozyme.topology.residue_names.copy()
    names[names == "HIS"] = name
    renamed = replace(lysozyme, topology=replace(lysozyme.topology, residue_names=names))
    full = renamed.completed(hydrogens=True)
    (row,) = np.flatnonzero(full.topology.residue_names == name)
    found = names_of(full, int(row)) & {"HD1", "HE2"}
    assert found == protons if protons else len(found) == 1


@pytest.mark.parametrize(("name", "proton"), [("ASH", "HD2"), ("ASPP", "HD2"), ("ASP", None)])
def test_an_acid_keeps_its_proton_where_its_name_says_so(trp_cage, name, proton):
    names = trp_cage.topology.residue_names.astype("U4")
    names[names == "ASP"] = name
    full = replace(trp_cage, topology=replace(trp_cage.topology, residue_names=names)).completed(hydrogens=True)
    (row,) = np.flatnonzero(full.topology.residue_names == name)
    assert names_of(full, int(row)) & {"HD2"} == ({proton} if proton else set())


def test_a_lysine_without_its_charge_lacks_one_proton(trp_cage):
    names = trp_cage.topology.residue_names.copy()
    names[names == "LYS"] = "LYN"
    full = replace(trp_cage, topology=replace(trp_cage.topology, residue_names=names)).completed(hydrogens=True)
    (row,) = np.flatnonzero(full.topology.residue_names == "LYN")
    assert names_of(full, int(row)) & {"HZ1", "HZ2", "HZ3"} == {"HZ2", "HZ3"}


def test_hydrogens_that_are_there_stay_and_none_is_doubled(trp_cage):
    full = trp_cage.completed(hydrogens=True)
    again = full.completed(hydrogens=True)
    assert again.topology == full.topology
    assert torch.equal(again.coords, full.coords)
    some = full.select("not name H HB2 HD1 HZ1 H3")
    filled = some.completed(hydrogens=True)
    assert set(atom_index(filled)) == set(atom_index(full))
    there, here = atom_index(some), atom_index(filled)
    index = torch.tensor([here[label] for label in there])
    assert torch.equal(filled.coords[index], some.coords)


def test_without_hydrogens_undoes_it(trp_cage):
    full = trp_cage.completed(hydrogens=True)
    assert full.without_hydrogens().topology == trp_cage.topology


def test_all_models_get_theirs_at_once(trp_cage):
    models = torch.stack([trp_cage.coords, trp_cage.coords.flip(-1) * -1, trp_cage.coords * 1.02])
    together = trp_cage.with_coords(models).completed(hydrogens=True)
    assert together.coords.shape[0] == 3
    alone = trp_cage.completed(hydrogens=True)
    torch.testing.assert_close(together.coords[0], alone.coords)


def test_hydrogens_turn_with_the_structure(trp_cage):
    spin = torch.linalg.matrix_exp(torch.tensor([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]], dtype=torch.float64))
    double = trp_cage.to(torch.float64)
    turned = double.with_coords(double.coords @ spin + 3).completed(hydrogens=True)
    expected = double.completed(hydrogens=True).coords @ spin + 3
    torch.testing.assert_close(turned.coords, expected, rtol=0, atol=1e-6)


def test_no_hydrogen_touches_what_it_is_not_bonded_to(lysozyme):
    full = lysozyme.completed(hydrogens=True)
    apart = torch.cdist(full.coords, full.coords)
    hydrogen = torch.from_numpy(full.topology.is_hydrogen.copy())
    residue = torch.from_numpy(full.topology.residue_of_atom.copy())
    pairs = (hydrogen[:, None] | hydrogen) & ((residue[:, None] - residue).abs() > 1)
    assert apart[pairs].min() > 1.35


def test_atoms_at_one_place_give_finite_hydrogens(trp_cage):
    flat: Structure = trp_cage.with_coords(torch.zeros_like(trp_cage.coords))
    assert flat.completed(hydrogens=True).coords.isfinite().all()


def test_waters_and_ligands_are_left_alone(shared):
    structure = read(shared / "structures" / "5opj.pdb")
    full = structure.completed(hydrogens=True)
    other = ~full.topology.is_protein
    assert other.sum() == (~structure.topology.is_protein).sum()
