import gzip
import struct

import pytest

from motet import io


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"HEADER    X\n", "pdb"),
        (b"\xef\xbb\xbfATOM      1  N   GLY A   1\n", "pdb"),
        (b"REMARK data_x\rATOM  \r", "pdb"),
        (b"# comment\n\ndata_1UBQ\n_entry.id 1UBQ\n", "mmcif"),
        (b"loop_\n_atom_site.id\n1\n", "mmcif"),
        (b">sp|P0\nMKT\n", "fasta"),
        (b"MKTAYIAKQR\n", "fasta"),
        (b">q\nMKT\n>a\nM-T\n>b\nMkaKT\n", "a3m"),
        (b"#3\t1\n>101\nMKT\n>a\nM-T\n", "a3m"),
        (struct.pack("<i4s", 84, b"CORD") + bytes(200), "dcd"),
        (struct.pack(">ii", 1995, 4) + bytes(64), "xtc"),
        (bytes(208) + b"MAP DD\0\0" + bytes(900), "map"),
        (struct.pack("<Q", 8) + b'{"a":{}}', "safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\noid\n", "pointer"),
        (b" \n\t\n", "empty"),
        (b"", "empty"),
        (b"Dear all,\nplease find the file attached!\n", "unknown"),
        (bytes(range(256)), "unknown"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_content_says_what_a_file_is(content, kind, pack, tmp_path):
    path = tmp_path / "misleading.cif"
    path.write_bytes(pack(content))
    assert io.sniff(path) == kind


def test_the_shared_files_are_known(shared):
    assert io.sniff(shared / "fold/2QKEE_colabfold.a3m") == "a3m"
    assert io.sniff(shared / "density/reader_only/emd_3001.map.gz") == "map"
    assert io.sniff(shared / "nasty/real/biopython__1gbt.bcif.gz") == "bcif"
    assert io.sniff(shared / "nasty/real/mmtf__empty-all0.mmtf") == "mmtf"
