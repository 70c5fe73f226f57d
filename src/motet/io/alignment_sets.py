"""The alignments that models were predicted from: a folder of A3M files, or a tar of them, matched by name."""

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import FormatError, MotetError
from .a3m import Alignment, parse_a3m
from .notebook import shown
from .opening import LARGEST, PathLike, Source, load

_SUFFIX = ".a3m"


def read_alignments(path: PathLike, names: Sequence[str]) -> dict[str, Alignment]:
    """The alignment of each model that has one.

    A model has the alignment of its own name; failing that, the one with the longest name that its own begins with
    (`KaiB_007` for `KaiB_007_unrelaxed_rank_001_…`). What is no alignment is passed over.

    Raises:
        FormatError: There is no such folder or tar, or no alignment in it.
    """
    found = dict(_parsed(Path(path)))
    if not found:
        raise FormatError(shown(path), "holds no A3M alignment", "name a folder or a tar of .a3m files")
    stems = sorted(found, key=len, reverse=True)
    matched = {
        name: next((stem for stem in stems if name == stem or name.startswith(stem)), None) for name in names
    }
    return {name: found[stem] for name, stem in matched.items() if stem is not None}


def _parsed(path: Path) -> Iterator[tuple[str, Alignment]]:
    for source in _sources(path):
        try:
            yield source.stem, parse_a3m(source)
        except MotetError:
            continue


def _sources(path: Path) -> Iterator[Source]:
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.is_file() and _SUFFIX in [suffix.lower() for suffix in file.suffixes]:
                yield load(file)
        return
    if path.suffix.lower() == _SUFFIX:
        yield load(path)
        return
    try:
        # Members are read into memory under a cap and never unpacked to disk: no name in the tar matters.
        with tarfile.open(path, "r:*") as archive:
            budget = LARGEST
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isfile() or name.suffix.lower() != _SUFFIX:
                    continue
                budget -= member.size
                content = archive.extractfile(member)
                if budget < 0 or content is None:
                    raise FormatError(shown(path), "unpacks to more than 1 GiB", "unpack it, and name the folder")
                yield Source(f"{shown(path)}: {shown(name.name)}", name.stem, content.read())
    except (OSError, EOFError, tarfile.TarError) as error:
        raise FormatError(shown(path), f"is no tar that can be read ({error})", "name a folder or a tar") from None
