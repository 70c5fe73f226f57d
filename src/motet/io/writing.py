"""Files appear whole or not at all."""

import csv
import gzip
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import FormatError, OutputExistsError
from .notebook import shown
from .opening import PathLike


@contextmanager
def atomic_write(path: PathLike, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends, and vanishes when it fails.

    Raises:
        OutputExistsError: `path` is already there and `overwrite` is false.
        FormatError: The folder is not there or cannot be written to.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise OutputExistsError(shown(target))
    if not target.parent.is_dir():
        raise FormatError(shown(target), "its folder is not there", "make the folder first")
    temporary = target.with_name(
        f".{target.name[:64]}.{secrets.token_hex(4)}{''.join(target.suffixes[-2:])[-16:]}"
    )
    try:
        yield temporary
        _take_name(temporary, target, overwrite)
    except OSError as error:
        if isinstance(error, OutputExistsError):
            raise
        raise FormatError(
            shown(target), f"cannot be written ({error.strerror or error})", "check folder and disk"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_table(
    path: PathLike, header: Iterable[str], rows: Iterable[Iterable[object]], overwrite: bool = False
) -> None:
    """Rows under a header as CSV, whole or not at all.

    Raises:
        OutputExistsError: `path` is already there and `overwrite` is false.
    """
    with (
        atomic_write(path, overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as sink,
    ):
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _take_name(temporary: Path, target: Path, overwrite: bool) -> None:
    """Rename; without `overwrite`, in a way that fails where somebody else was faster."""
    if overwrite:
        os.replace(temporary, target)
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise OutputExistsError(shown(target)) from None
    except OSError:  # a file system without hard links
        os.replace(temporary, target)


def write_text(path: PathLike, text: str, overwrite: bool = False) -> None:
    """Text as UTF-8, packed when the name ends in .gz (without a time stamp, so that equal text is equal bytes).

    Raises:
        OutputExistsError: `path` is already there and `overwrite` is false.
    """
    data = text.encode("utf-8")
    if str(path).lower().endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    with atomic_write(path, overwrite) as temporary:
        temporary.write_bytes(data)
