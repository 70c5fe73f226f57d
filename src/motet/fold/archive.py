"""The official archive of parameters: read as a stream, so that nothing but the wanted files reaches the disk."""

import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO

from ..errors import FormatError
from .store import add, folder
from .weights import WeightsRecord

URL = "https://storage.googleapis.com/alphafold/alphafold_params_2022-12-06.tar"
LARGEST = 1 << 30  # bytes of one file of parameters; the official ones have 0.4 GB
_CHUNK = 1 << 20
_TIMEOUT = 60.0  # seconds without a byte
_REMEDY = "repeat the command, or fetch the archive with a browser and give it to `motet weights add`"

Progress = Callable[[int, int], None]


class Counted:
    """A stream that tells how far it has been read.

    Args:
        source: What is read.
        size: Bytes that there should be; 0 when nobody knows.
        progress: Called with bytes read and bytes in all.
    """

    def __init__(self, source: BinaryIO, size: int, progress: Progress) -> None:
        self._source, self._size, self._progress, self._done = source, size, progress, 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._source.read(size)
        self._done += len(data)
        self._progress(self._done, max(self._size, self._done))
        return data


def fetch(models: tuple[str, ...], progress: Progress, *, overwrite: bool = False) -> tuple[WeightsRecord, ...]:
    """Download the official archive and convert these models into the store.

    Raises:
        FormatError: The network or the archive fails, or holds something else than it should.
    """
    try:
        with urllib.request.urlopen(URL, timeout=_TIMEOUT) as response:
            size = int(response.headers.get("Content-Length") or 0)
            return unpacked(Counted(response, size, progress), URL, models, overwrite=overwrite)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FormatError(URL, f"cannot be fetched ({error})", _REMEDY) from error


def add_archive(
    path: Path, models: tuple[str, ...], progress: Progress, *, overwrite: bool = False
) -> tuple[WeightsRecord, ...]:
    """Convert these models of an archive on disk into the store.

    Raises:
        FormatError: The archive is damaged, or holds something else than it should.
    """
    with path.open("rb") as file:
        return unpacked(Counted(file, path.stat().st_size, progress), path, models, overwrite=overwrite)


def unpacked(
    stream: Counted, source: object, models: tuple[str, ...], *, overwrite: bool = False
) -> tuple[WeightsRecord, ...]:
    """Convert the wanted members of a tar stream, each as it passes by; a member's path is never used."""
    wanted = {f"params_{name}.npz": name for name in models}
    found = []
    with TemporaryDirectory(dir=_made(folder())) as scratch, _tar(stream, source) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name not in wanted:
                continue
            if not member.isfile() or member.size > LARGEST:
                raise FormatError(source, f"has {name} as something else than a file of parameters", _REMEDY)
            npz = Path(scratch) / name
            _copy(archive, member, npz, source)
            found.append(add(npz, wanted.pop(name), overwrite=overwrite))
            npz.unlink()
            if not wanted:
                break
    if wanted:
        raise FormatError(source, f"lacks {', '.join(sorted(wanted))}", "give the archive of 2022-12-06, whole")
    return tuple(found)


@contextmanager
def _tar(stream: Counted, source: object) -> Iterator[tarfile.TarFile]:
    try:
        # of a stream only `read` is used
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as archive:  # pyright: ignore
            yield archive
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, FormatError | FileExistsError | urllib.error.URLError):
            raise
        raise FormatError(source, f"is no whole archive ({error})", _REMEDY) from error


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, to: Path, source: object) -> None:
    content = archive.extractfile(member)
    assert content is not None  # a plain file has content
    written = 0
    with to.open("wb") as out:
        while data := content.read(_CHUNK):
            out.write(data)
            written += len(data)
    if written != member.size:
        raise FormatError(source, f"ends within {to.name}", _REMEDY)


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
