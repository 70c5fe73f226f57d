"""Bytes of a file, unpacked when they are packed, under a cap that no bomb gets past."""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import FormatError
from ..structure import Note
from .notebook import shown

LARGEST = 1 << 30  # bytes of one file, packed or unpacked
FREE = 1 << 26  # bytes that unpack before the ratio is looked at
LARGEST_RATIO = 200  # unpacked over packed; coordinates reach 10, a masked map 100
CHUNK = 1 << 20

PathLike: TypeAlias = str | Path


@dataclass(frozen=True)
class Source:
    """The content of one file and how a person knows it.

    Args:
        label: The path as it may be printed.
        stem: A name for titles and output files: letters, digits, `.`, `_`, `-` only.
        data: The bytes, unpacked.
        notes: What had to be done to get at them.
    """

    label: str
    stem: str
    data: bytes
    notes: tuple[Note, ...] = ()


def load(path: PathLike) -> Source:
    """The content of a file, or of standard input for `-`; gzip, bzip2 and xz are known by content and unpacked.

    Raises:
        FormatError: There is no such file, it is damaged, an archive, or unpacks beyond the cap.
    """
    label = "standard input" if str(path) == "-" else shown(path)
    packed = _raw_bytes(path, label)
    method = _packing(packed)
    data = _unpacked(packed, method, label) if method else packed
    _refuse_archive(data, label)
    return Source(label, stem_of(path), data, tuple(_packing_notes(Path(str(path)).suffix.lower(), method)))


def stem_of(path: PathLike) -> str:
    """A short safe name from a path: `1ubq` from `dir/1ubq.pdb.gz`; never a separator or a leading dot."""
    stem = Path(str(path)).name
    while (suffix := Path(stem).suffix.lower()) in _SUFFIXES:
        stem = stem[: -len(suffix)]
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in stem).strip("._-")
    return safe[:64] or "structure"


_SUFFIXES = frozenset(".gz .bz2 .xz .pdb .ent .cif .mmcif .bcif .pdbx .map .mrc .ccp4 .fasta .fa .a3m".split())


def _raw_bytes(path: PathLike, label: str) -> bytes:
    data = sys.stdin.buffer.read(LARGEST + 1) if str(path) == "-" else _file_bytes(Path(path), label)
    if len(data) > LARGEST:
        raise FormatError(label, f"is larger than {LARGEST >> 30} GiB", "cut out the part that you need")
    return data


def _file_bytes(path: Path, label: str) -> bytes:
    try:
        if path.is_dir():
            raise FormatError(label, "is a directory", "name one file in it")
        if path.exists() and not path.is_file():
            raise FormatError(label, "is not a regular file", "name a file, or use - for standard input")
        with path.open("rb") as file:
            # read(n) takes n bytes of memory at once, whatever the file holds
            return file.read(min(path.stat().st_size, LARGEST) + 1)
    except FileNotFoundError:
        raise FormatError(label, "there is no such file", "check the path") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the path is not valid"
        raise FormatError(label, f"cannot be opened ({reason.lower()})", "check the path and its rights") from None


def _packing(data: bytes) -> str | None:
    for magic, method in ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz")):
        if data.startswith(magic):
            return method
    return None


def _packing_notes(suffix: str, method: str | None) -> list[Note]:
    if method == "gzip" and suffix not in (".gz", ".gzip", ".z", ""):
        return [Note("repaired", f"the content is gzip though the name ends in {shown(suffix, 12)}: unpacked.")]
    if method in ("bzip2", "xz"):
        return [Note("repaired", f"the content is packed with {method}: unpacked.")]
    if method is None and suffix == ".gz":
        return [Note("repaired", "the name ends in .gz but the content is not packed: read as it is.")]
    return []


def _decompressor(method: str) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        "gzip": lambda: zlib.decompressobj(wbits=31),
        "bzip2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(memlimit=1 << 28),
    }
    return makers[method]()


def _unpacked(packed: bytes, method: str, label: str) -> bytes:
    """All members of the file, one after the other."""
    out, rest = bytearray(), packed
    while rest:
        rest = _unpack_member(rest, method, out, len(packed), label)
        if not rest.strip(b"\0"):
            break
        if _packing(rest) != method:
            raise FormatError(label, f"has garbage after the {method} content", "pack or fetch the file again")
    return bytes(out)


def _unpack_member(member: bytes, method: str, out: bytearray, packed_size: int, label: str) -> bytes:
    """Unpack one member onto `out`, a chunk at a time so that a bomb is seen early; what follows the member."""
    engine, view, position = _decompressor(method), memoryview(member), 0
    pending = b""
    while not engine.eof:
        if not pending and getattr(engine, "needs_input", True):
            pending = bytes(view[position : position + CHUNK])
            position += len(pending)
            if not pending:
                raise FormatError(label, f"the {method} content ends too early", "fetch the file again")
        try:
            out += engine.decompress(pending, CHUNK)
        except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
            raise FormatError(label, f"the {method} content is damaged", "fetch the file again") from None
        pending = getattr(engine, "unconsumed_tail", b"")
        _refuse_bomb(len(out), packed_size, label)
    return engine.unused_data + bytes(view[position:])


def _refuse_bomb(size: int, packed_size: int, label: str) -> None:
    if size > LARGEST or (size > FREE and size > LARGEST_RATIO * packed_size):
        raise FormatError(
            label,
            f"unpacks to more than {size >> 20} MiB from {counted_bytes(packed_size)}: a decompression bomb",
            "unpack it yourself if you trust it, and pass the unpacked file",
        )


def counted_bytes(size: int) -> str:
    """`812 B`, `3 kB`, `14 MB`."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= scale:
            return f"{size // scale} {unit}"
    return f"{size} B"


def _refuse_archive(data: bytes, label: str) -> None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        kind = "a zip archive"
    elif data[257:262] == b"ustar":
        kind = "a tar archive"
    elif data.startswith((b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x28\xb5\x2f\xfd")):
        kind = "an archive of a kind that motet does not unpack"
    elif _packing(data):
        kind = "packed twice"
    else:
        return
    raise FormatError(label, f"is {kind}", "unpack it and name one file in it")
