"""One input or a directory of them: run each, go on when one fails, and say in the end which did."""

import hashlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import typer

from ..errors import ConfigError, FormatError, MotetError
from .console import complain, say

Work: TypeAlias = Callable[[Path, Path], dict[str, Any]]
SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
STDIN = Path("-")


def inputs_of(path: Path) -> list[Path]:
    """The files an argument names: itself, or the structures in a directory.

    Raises:
        FormatError: There is no such file, or no structure in the directory.
    """
    if path != STDIN and not path.exists():
        raise FormatError(path, "no such file", "check the name")
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.is_file() and _bare(one).lower().endswith(SUFFIXES))
    if not found:
        raise FormatError(path, "holds no PDB or mmCIF file", "name a directory that does")
    return found


def stem_of(path: Path) -> str:
    """A name for results made of an input's: `1ubq` of `data/1ubq.cif.gz`; safe as a file name."""
    name = "stdin" if path == STDIN else _bare(path)
    name = re.sub(r"\.(pdb|ent|cif|mmcif)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^\w.+-]", "_", name).strip(".") or "structure"


def for_each(path: Path, out: Path | None, verb: str, work: Work, as_json: bool) -> None:
    """Run `work(input, directory)` on each input; exit code 1 when some inputs of a batch fail."""
    with resumable():
        _for_each(path, out, verb, work, as_json)


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C inside ends with exit code 130, and says that the same command goes on."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        complain("stopped; repeat the same command to go on from here.")
        raise typer.Exit(130) from interrupt


def _for_each(path: Path, out: Path | None, verb: str, work: Work, as_json: bool) -> None:
    inputs = inputs_of(path)
    if not path.is_dir():
        result = work(path, out or Path(f"{stem_of(path)}-{verb}"))
        print_result(result, as_json)
        return
    root = out or Path(f"{path.resolve().name}-{verb}")
    failed: dict[Path, str] = {}
    results: dict[str, Any] = {}
    for one, name in _named_apart(inputs):
        say(f"{one}")
        try:
            results[one.name] = work(one, root / name)
        except MotetError as error:
            failed[one] = str(error)
            complain(str(error))
    print_result(results | {"failed": {one.name: why for one, why in failed.items()}}, as_json)
    if failed:
        complain(f"{len(failed)} of {len(inputs)} inputs failed: {', '.join(one.name for one in failed)}")
        raise typer.Exit(1)


def digest(path: Path) -> str:
    """SHA-256 of a file, or of what comes on stdin, which can still be read afterwards.

    Raises:
        FormatError: There is no such file.
    """
    if path != STDIN:
        if not path.exists():
            raise FormatError(path, "no such file", "check the name")
        return hashlib.sha256(path.read_bytes()).hexdigest()
    content = sys.stdin.buffer.read()
    sys.stdin = io.TextIOWrapper(io.BytesIO(content))
    return hashlib.sha256(content).hexdigest()


def digests(*paths: Path) -> dict[str, str]:
    """SHA-256 of each input, by name; of a folder, of the names and contents of its files.

    Raises:
        FormatError: There is no such file.
    """
    found: dict[str, str] = {}
    for path in paths:
        name = path.resolve().name if path.is_dir() else path.name
        found[str(path) if name in found else name] = _digest_of_folder(path) if path.is_dir() else digest(path)
    return found


def _digest_of_folder(folder: Path) -> str:
    files = sorted(one for one in folder.iterdir() if one.is_file())
    lines = "".join(f"{one.name} {digest(one)}\n" for one in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def machine(name: str, threads: int) -> str:
    """The device a user asked for, `auto` taking CUDA where there is one; the processor gets so many threads.

    Raises:
        ConfigError: There is no such device.
    """
    import torch

    # Operations here last microseconds: more threads mostly wait for each other, and spin while they do.
    torch.set_num_threads(threads)

    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"--device {name}: choose auto, cpu or cuda.")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: this machine has no CUDA device that torch can use; take --device cpu.")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _bare(path: Path) -> str:
    return path.name[:-3] if path.name.lower().endswith(".gz") else path.name


def _named_apart(inputs: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each input with a directory name of its own, also where `a.pdb` stands beside `a.cif`."""
    stems = [stem_of(one) for one in inputs]
    for one, stem in zip(inputs, stems, strict=True):
        yield one, stem if stems.count(stem) == 1 else one.name.replace(".", "_")


def print_result(result: dict[str, Any], as_json: bool) -> None:
    """The result as JSON on stdout, where it was asked for."""
    if as_json:
        json.dump(result, sys.stdout, indent=2, sort_keys=True)
        print()
