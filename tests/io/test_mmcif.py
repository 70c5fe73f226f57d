import pytest

from motet import io
from motet.errors import FormatError

TAGS = (
    "group_PDB type_symbol label_atom_id label_comp_id label_asym_id label_seq_id Cartn_x Cartn_y Cartn_z "
    "auth_seq_id auth_asym_id"
).split()
GLYCINE = [("N", -1.458, 0.0), ("CA", 0.0, 0.0), ("C", 0.55, 1.42), ("O", -0.2, 2.4)]


def cif(rows, tags=TAGS, before="", name="made"):
    head = "\n".join(f"_atom_site.{tag}" for tag in tags)
    return f"data_{name}\n{before}\nloop_\n{head}\n" + "\n".join(rows) + "\n"


def rows(chain="X", number=7, label="A", x=0.0):
    return [f"ATOM {n[0]} {n} GLY {label} 1 {a + x} {b} 0.0 {number} {chain}" for n, a, b in GLYCINE]


@pytest.fixture
def cif_file(tmp_path):
    def write(text):
        path = tmp_path / "made.cif"
        path.write_text(text)
        return path

    return write


def test_the_authors_names_win(cif_file):
    topology = io.read(cif_file(cif(rows("X", 7)))).topology
    assert topology.residue_label(0) == "X:GLY7"


def test_the_archives_names_stand_in(cif_file):
    tags = [tag for tag in TAGS if not tag.startswith("auth")]
    topology = io.read(cif_file(cif([" ".join(row.split()[:-2]) for row in rows()], tags))).topology
    assert topology.residue_label(0) == "A:GLY1"


def test_quoted_names_lose_their_quotes(cif_file):
    extra = [f"HETATM C \"C1'\" LIG B . {10 + k} 0 0 9 'B 1'" for k in (0, 1.5)]
    topology = io.read(cif_file(cif([*rows(), *extra]))).topology
    assert topology.atom_names[-1] == "C1'"
    assert topology.chain_ids.tolist() == ["X", "B 1"]


def test_it_reads_what_the_pdb_file_of_the_same_entry_says(shared):
    """PDB and mmCIF of one structure, by another program's conversion."""
    one, other = (io.read(shared / f"nasty/synth/{name}") for name in ("ok_heavy.pdb", "ok.cif"))
    assert one.topology == other.topology
    assert (one.coords - other.coords).abs().max() < 1e-4


def test_alphafold_is_known_by_its_metric(cif_file, said):
    metric = "_ma_qa_metric.id 1\n_ma_qa_metric.name pLDDT\n"
    structure = io.read(cif_file(cif(rows(), before=metric)))
    assert structure.b_factor_meaning == "pLDDT"
    assert "prediction" in said(structure)


def test_missing_residues_are_counted(cif_file, said):
    sequence = (
        "loop_\n_entity_poly_seq.entity_id\n_entity_poly_seq.num\n_entity_poly_seq.mon_id\n1 1 GLY\n1 2 ALA\n"
    )
    tagged = cif([f"{row} 1" for row in rows()], [*TAGS, "label_entity_id"], sequence)
    assert "chain X: 1 of 2 residues" in said(io.read(cif_file(tagged)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("data_a\n_cell.length_a 3\n", "holds no atoms"),
        ("data_a\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1 2 3\n", "not valid mmCIF"),
        ("loop_\n_atom_site.id\n1\n", "not valid mmCIF"),
        ("data_a\nloop_\n_refln.index_h\n1\n2\n", "structure factors"),
        (cif(["ATOM C CA GLY A 1 ? 0 0 1 A"]), "not a number"),
        (cif(["ATOM C CA GLY A 1 0 0 0 1e9 A"]), "not a residue number"),
        (cif(rows(), [*TAGS[:6], "x", *TAGS[7:]]), "without Cartn_x"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(text, reason, cif_file):
    with pytest.raises(FormatError, match=reason):
        io.read(cif_file(text))


def test_a_hostile_message_stays_one_line(cif_file):
    with pytest.raises(FormatError) as refusal:
        io.read(cif_file("data_a\n_x.y 'never\x1b[31m closed\n\x07"))
    assert str(refusal.value).isprintable()
