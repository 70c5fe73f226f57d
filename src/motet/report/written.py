"""What a writer of files writes, without leaving a file."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory


def written(name: str, write: Callable[[Path], object]) -> bytes:
    """What `write` puts into a file of that name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
