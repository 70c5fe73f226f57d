import numpy as np

from motet import io
from motet.chem import RESIDUES

from .conftest import atom_line, glycine


def bonded(topology):
    """Bonds as pairs of labels."""
    return {(topology.atom_label(i), topology.atom_label(j)) for i, j in topology.bonds.tolist()}


def between(topology):
    residue = topology.residue_of_atom
    return {
        (topology.atom_label(i), topology.atom_label(j))
        for i, j in topology.bonds.tolist()
        if residue[i] != residue[j]
    }


def test_a_heavy_chain_has_every_bond_of_its_residues(shared):
    """Counted from the tables: bonds within residues whose two atoms are there, and one peptide bond between."""
    topology = io.read(shared / "nasty/synth/ok_heavy.pdb").topology
    within = 0
    for k, name in enumerate(topology.residue_names.tolist()):
        present = set(topology.atom_names[topology.residue_of_atom == k].tolist())
        within += sum(a in present and b in present for a, b, _ in RESIDUES[name].bonds)
    assert len(topology.bonds) == within + topology.n_residues - 1
    assert topology.follows.sum() == topology.n_residues - 1


def test_bonds_are_sorted_unique_and_as_long_as_bonds(shared):
    for name in ("1ubq_H", "1aki", "5v2d", "6f8b"):
        structure = io.read(shared / f"structures/{name}.pdb")
        bonds = structure.topology.bonds
        assert (bonds[:, 0] < bonds[:, 1]).all()
        assert (np.unique(bonds, axis=0) == bonds).all()
        ends = structure.coords.numpy()[bonds]
        length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)
        assert length.min() > 0.8
        assert length.max() < 2.3


def test_every_hydrogen_has_one_bond(shared):
    topology = io.read(shared / "structures/4ake_A_H.pdb").topology
    count = np.bincount(topology.bonds.ravel(), minlength=topology.n_atoms)
    assert (count[topology.is_hydrogen] == 1).all()


def test_lysozyme_has_its_four_disulfides(shared):
    topology = io.read(shared / "structures/1aki.pdb").topology
    pairs = {(a[5:].split("/")[0], b[5:].split("/")[0]) for a, b in between(topology) if a.endswith("SG")}
    assert pairs == {("6", "127"), ("30", "115"), ("64", "80"), ("76", "94")}


def test_a_gap_is_a_break_and_not_a_bond(pdb_file, said):
    structure = io.read(pdb_file(*glycine("A", 1), *glycine("A", 5, (12, 0, 0))))
    assert not between(structure.topology)
    assert "1 chain break (A:GLY1 to A:GLY5)" in said(structure)


def test_superposed_chains_are_not_bonded_to_each_other(shared):
    topology = io.read(shared / "nasty/synth/clash_chain.pdb").topology
    chain = topology.chain_of_atom
    assert (chain[topology.bonds[:, 0]] == chain[topology.bonds[:, 1]]).all()
    assert len(topology.bonds) == 2 * (chain[topology.bonds[:, 0]] == 0).sum()


def test_superposed_ligands_are_not_bonded_to_each_other(pdb_file):
    ring = [(20 + np.cos(t) * 1.4, np.sin(t) * 1.4, 0.0) for t in np.arange(6) * np.pi / 3]
    lines = glycine()
    for chain in "BC":
        lines += [atom_line(f"C{k}", "LIG", chain, 1, place, record="HETATM") for k, place in enumerate(ring)]
    topology = io.read(pdb_file(*lines)).topology
    assert not between(topology)
    assert len(topology.bonds) == 3 + 6 + 6


def test_a_sugar_is_bonded_where_it_touches(shared):
    topology = io.read(shared / "nasty/real/openmm__glycopeptide.pdb").topology
    assert len(between(topology)) == 4 + 3  # peptide bonds, and one link a sugar
    links = {(a.split("/")[1], b.split("/")[1]) for a, b in between(topology) if "0GB" in b}
    assert links == {("ND2", "C1")}


def test_a_claimed_bond_between_distant_atoms_is_no_bond(pdb_file):
    lines = [*glycine("A", 1), *glycine("A", 5, (12, 0, 0))]
    lines = [line[:6] + f"{k + 1:5d}" + line[11:] for k, line in enumerate(lines)]
    assert not between(io.read(pdb_file(*lines, "CONECT    2    6")).topology)


def test_a_claimed_isopeptide_bond_is_taken(pdb_file):
    lines = [*glycine("A", 1), *glycine("B", 1, (0, 0, 30))]
    lines.append(atom_line("NZ", "LYS", "C", 1, (-1.0, 2.9, 0.9), element="N"))
    lines += [atom_line("CE", "LYS", "C", 1, (-1.6, 4.1, 1.5)), atom_line("CA", "LYS", "C", 1, (-4, 7, 4))]
    lines[3] = lines[3].replace(" O  ", " OXT")
    lines = [line[:6] + f"{k + 1:5d}" + line[11:] for k, line in enumerate(lines)]
    distance = np.linalg.norm(np.array([-1.0, 2.9, 0.9]) - np.array([-0.2, 2.4, 0.0]))
    assert distance < 1.4
    assert not between(io.read(pdb_file(*lines)).topology)
    assert len(between(io.read(pdb_file(*lines, "CONECT    4    9")).topology)) == 1


def test_an_unknown_residue_is_bonded_as_the_known_one(shared):
    """The same atoms under a name without a table: bonds by distance are the bonds of the table."""
    known, unknown = (io.read(shared / f"nasty/synth/{name}.pdb").topology for name in ("ok_heavy", "res_XYZ"))
    assert (known.bonds == unknown.bonds).all()
    assert unknown.residue_kinds[3] == "protein"


def test_a_thousand_atoms_at_one_point_cost_no_memory(pdb_file):
    waters = [atom_line("C1", "LIG", "B", k % 9000, (30, 0, 0), record="HETATM") for k in range(1, 3000)]
    structure = io.read(pdb_file(*glycine(), *waters))
    assert structure.n_atoms == 3003
    assert len(structure.topology.bonds) == 3
