"""What a file is, by its content; names lie."""

import re
from typing import Literal, TypeAlias

from .opening import PathLike, load

Kind: TypeAlias = Literal[
    "pdb",
    "mmcif",
    "bcif",
    "mmtf",
    "fasta",
    "a3m",
    "map",
    "xtc",
    "dcd",
    "safetensors",
    "pointer",
    "empty",
    "unknown",
]

HEAD = 1 << 16
_PDB = re.compile(
    rb"(?m)^(?:ATOM[ \t]|HETATM|HEADER|CRYST1|MODEL(?: |\r|$)|REMARK|TITLE |COMPND|SEQRES|SSBOND|ANISOU|CONECT"
    rb"|SCALE1|OBSLTE|CAVEAT|AUTHOR|EXPDTA|ORIGX1)"
)
_CIF = re.compile(rb"(?mi)^[ \t]*(?:data_\S*|loop_|_[a-z0-9_]+[.\[]\S+)")
_SEQUENCE = re.compile(rb"[A-Za-z*\-.\s0-9]+")


def sniff(path: PathLike) -> Kind:
    """What kind of file this is, by its content, unpacked if packed.

    Raises:
        FormatError: The file cannot be opened or unpacked.
    """
    return kind_of_data(load(path).data)


def kind_of_data(data: bytes) -> Kind:
    """What these bytes are."""
    head = data[:HEAD].removeprefix(b"\xef\xbb\xbf")
    binary = _binary_kind(data)
    if binary:
        return binary
    if not head.strip():
        return "empty"
    if head.startswith(b"version https://git-lfs"):
        return "pointer"
    return _text_kind(head.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))


def _binary_kind(data: bytes) -> Kind | None:
    if len(data) > 8 and data[4:8] == b"CORD" and data[:4] in (b"\x54\0\0\0", b"\0\0\0\x54"):
        return "dcd"
    if len(data) >= 16 and data[:4] in (b"\0\0\x07\xcb", b"\0\0\x07\xe7"):
        return "xtc"
    if len(data) >= 208 and data[208:212] in (b"MAP ", b"MAP\0"):
        return "map"
    if (data[8:9] == b"{" and not data[:8].isascii()) or data[8:10] == b'{"':
        return "safetensors"
    if data[:1] in (b"\x83", b"\x84", b"\x85", b"\xde", b"\xdf") and b"dataBlocks" in data[:512]:
        return "bcif"
    if data[:1] >= b"\x80" and b"mmtfVersion" in data[:4096]:
        return "mmtf"
    return None


def _text_kind(head: bytes) -> Kind:
    pdb, cif = _PDB.search(head), _CIF.search(head)
    if cif and (not pdb or cif.start() < pdb.start()):
        return "mmcif"
    if pdb:
        return "pdb"
    first = head.lstrip().split(b"\n", 1)[0]
    if first.startswith((b">", b"#", b";")) and b">" in head:
        return "a3m" if _looks_aligned(head) else "fasta"
    return "fasta" if _SEQUENCE.fullmatch(head) and len(first) > 1 else "unknown"


def _looks_aligned(head: bytes) -> bool:
    """Lower-case insertions beside upper-case columns, or gaps in rows of one width: an alignment."""
    rows = [b"".join(block.split(b"\n")[1:]) for block in head.split(b">")[1:]]
    if len(rows) < 2:
        return False
    rows = rows[:-1] if len(head) == HEAD and len(rows) > 2 else rows
    columns = {sum(1 for c in row if not 97 <= c <= 122 and c not in b".\r \t") for row in rows}
    marked = any(b"-" in row or re.search(rb"[a-z]", row) for row in rows[1:])
    return len(columns) == 1 and marked and rows[0].isupper()
