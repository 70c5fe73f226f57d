"""Every file of the nasty corpus does what its manifest says.

It loads, loads with a note that names the defect, or is refused in one line; never another exception, a hang, or a
file left behind.
"""

import json
import signal
from pathlib import Path

import pytest

from motet import io
from motet.errors import MotetError
from motet.structure import Structure

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "nasty"
MANIFEST = json.loads((FOLDER / "MANIFEST.json").read_text()) if FOLDER.is_dir() else []
LIMIT_S = 10

# What a note or the refusal must speak of, for each file that may do either: the manifest's defect, but for these
# another thing that is said of the file, as the defect itself changes nothing in what is read: 3dg1, res_ids,
# 4hhh_frag, a_structure.cif, CONECT2TER, chainIDnewres, dummy_az09, triclinic, charges.
NAMED = {
    "real/biotite__7gsa.cif": "ligand",
    "real/biotite__altloc.cif": "SER",
    "real/biotite__res_ids.cif": "covalent link",
    "real/biopython__1LCD.pdb": "nucleotide",
    "real/biopython__1gbt.bcif.gz": "BinaryCIF",
    "real/biopython__7DDO.pdb": "NAG",
    "real/biopython__a_structure.cif": "occupancy 0",
    "real/biopython__a_structure.pdb": "listed twice",
    "real/biopython__disordered.pdb": "twice in a residue",
    "real/biopython__occupancy.pdb": "without an occupancy",
    "real/gemmi__1pfe.cif.gz": "D chirality",
    "real/gemmi__3dg1_final.cif": "water",  # it has label_seq_id, against what the manifest says
    "real/gemmi__4hhh_frag.pdb": "alternate locations",
    "real/gemmi__4oz7.pdb": "its sequence",
    "real/gemmi__5i55_tiny.ccp4": "oblique",
    "real/mdanalysis__CONECT2TER.pdb": "small molecules",
    "real/mdanalysis__chainIDnewres.pdb.gz": "missing in 3 residues",
    "real/mdanalysis__charges.pdb": "formal charges",
    "real/mdanalysis__elements.pdb": "Mg",
    "real/mdanalysis__namd_cgenff.pdb": "no element in its column",
    "real/mdanalysis__unordered_res.pdb": "stand apart",
    "real/mdanalysis__varying_occ_tmp.pdb": "without an occupancy",
    "real/mdanalysis__xl_serial.pdb": "water",
    "real/mrcfile__EMD-3197.map.bz2": "bzip2",
    "real/openmm__altlocs.pdb": "alternate locations",
    "real/openmm__altlocs2.pdb": "alternate locations",
    "real/openmm__glycopeptide.pdb": "covalent link",
    "real/openmm__triclinic.pdb": "ions",
    "real/pdb-tools__dummy.pdb": "nucleotide",
    "real/pdb-tools__dummy_altloc3.pdb": "alternate locations",
    "real/pdb-tools__dummy_az09.pdb": "no element in its column",
    "real/pdb-tools__ensemble_error_3.pdb": "ENDMDL",
    "real/pdb-tools__ensemble_error_4.pdb": "ENDMDL",
    "real/pdb-tools__hetatm_bad.pdb": "Cα",
    "real/pdbfixer__1BHL.pdb": "its sequence",
    "synth/alt_digit.pdb": "alternate locations",
    "synth/anisou_orphan.pdb": "ANISOU",
    "synth/b_999.pdb": "B factors",
    "synth/b_blank.pdb": "without a B factor",
    "synth/bom.pdb": "byte-order mark",
    "synth/cell_bad.pdb": "CRYST1",
    "synth/cif_as_pdb.pdb": "content is mmCIF",
    "synth/clash_chain.pdb": "at the very place of another",
    "synth/conect_self.pdb": "to itself",
    "synth/cr.pdb": "carriage return",
    "synth/dup_block.cif": "same name",
    "synth/formula_inj.cif": "etc/passwd",
    "synth/gz_as.pdb": "content is gzip",
    "synth/hybrid36_53k.pdb.gz": "more than one residue",
    "synth/lower.pdb": "lower case",
    "synth/many_chains.pdb": "neither letter nor digit",
    "synth/map_both_origin.mrc": "nstart",
    "synth/map_mapcrs0.mrc": "mapc",
    "synth/map_negated.mrc": "inverted",
    "synth/map_nomapid.mrc": "MAP mark",
    "synth/map_stack.mrc": "stack of images",
    "synth/map_stamp0.mrc": "machine stamp",
    "synth/map_triclinic.mrc": "oblique",
    "synth/mirror_D.pdb": "D chirality",
    "synth/model_noend.pdb": "ENDMDL",
    "synth/models_unequal.pdb": "models differ",
    "synth/no_N.pdb": "lacks N",
    "synth/nolabelseq.cif": "label_seq_id",
    "synth/notgz.pdb.gz": "not packed",
    "synth/nul.pdb": "NUL",
    "synth/occ_neg.pdb": "negative occupancy",
    "synth/occ_zero.pdb": "occupancy 0",
    "synth/pdb_as_cif.cif": "content is PDB",
    "synth/res_ASX.pdb": "ASX",
    "synth/res_CSO.pdb": "CSO",
    "synth/res_DAL.pdb": "DAL",
    "synth/res_HIE.pdb": "HIE",
    "synth/res_HIP.pdb": "HIP",
    "synth/res_MLY.pdb": "MLY",
    "synth/res_MSE.pdb": "MSE",
    "synth/res_PCA.pdb": "PCA",
    "synth/res_PYL.pdb": "PYL",
    "synth/res_SEC.pdb": "SEC",
    "synth/res_SEP.pdb": "SEP",
    "synth/res_UNK.pdb": "UNK",
    "synth/res_XYZ.pdb": "XYZ",
    "synth/resnum_dup.pdb": "more than one residue",
    "synth/reverse.pdb": "order of the chain",
    "synth/sentinel9999.pdb": "9999",
    "synth/seq_dup.fasta": "same id",
    "synth/seq_gap.fasta": "gaps",
    "synth/seq_long.fasta": "200000 residues",
    "synth/seq_mega_hdr.fasta": "header",
    "synth/seq_noheader.fasta": "no header",
    "synth/seq_null.fasta": "NUL",
    "synth/seq_one.fasta": "1 residue",
    "synth/seq_ws.fasta": "digits",
    "synth/seq_xbzuoj.fasta": "selenocysteine",
    "synth/ssbond_ghost.pdb": "not there",
    "synth/truncated_mid.pdb": "cut off",
    "synth/two_blocks.cif": "2 data blocks",
    "synth/two_overlap.pdb": "at the very place of another",
}


@pytest.fixture
def alarm():
    """Ends a test that hangs."""

    def ring(*_):
        raise TimeoutError(f"still running after {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def read_any(path):
    name = path.name.lower()
    if ".fasta" in name:
        return io.read_fasta(path)
    if name.endswith(".safetensors"):
        return io.read_weights(path, shapes={"w": (2, 2)})
    if any(suffix in name for suffix in (".mrc", ".ccp4", ".map")):
        return io.read_map(path)
    return io.read(path)


def outcome(path):
    """What was read, or the refusal."""
    try:
        return read_any(path), None
    except MotetError as refusal:
        return None, refusal


def notes_of(content):
    if isinstance(content, tuple):
        return content[0].notes
    return () if isinstance(content, dict) else content.notes


@pytest.mark.skipif(not MANIFEST, reason=f"needs the shared data in {FOLDER}")
@pytest.mark.parametrize("entry", MANIFEST, ids=[entry["file"] for entry in MANIFEST])
@pytest.mark.usefixtures("alarm")
def test_does_what_the_manifest_says(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = entry["file"]
    content, refusal = outcome(FOLDER / file)
    said = [str(refusal)] if refusal else [note.text for note in notes_of(content)]
    assert all(text.isprintable() for text in said)
    if refusal:
        assert entry["expect"] != "ok"
        assert said[0].startswith(f"{FOLDER / file}: ")
        assert "; " in said[0]
    else:
        assert entry["expect"] != "error"
        assert not isinstance(content, Structure) or content.coords.isfinite().all()
    if entry["expect"] == "warn":
        assert any(NAMED[file] in text for text in said), said
    assert not list(tmp_path.iterdir())
