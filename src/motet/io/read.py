"""The front door: a path in, a `Structure` out, whatever the file is called."""

from pathlib import Path

from ..errors import FormatError, MotetError
from ..structure import Note, Structure
from . import mmcif, pdb
from .assemble import assemble
from .notebook import shown
from .opening import PathLike, Source, load
from .sniff import Kind, kind_of_data

_OTHER: dict[Kind, tuple[str, str]] = {
    "empty": ("is empty", "fetch the file again"),
    "pointer": ("is a git-lfs pointer, not the file itself", "run `git lfs pull`"),
    "bcif": ("is BinaryCIF, which motet does not read", "fetch the entry as mmCIF (.cif)"),
    "mmtf": ("is MMTF, a format that is no longer kept up", "fetch the entry as mmCIF (.cif)"),
    "fasta": ("is a sequence, not a structure", "give a PDB or mmCIF file"),
    "a3m": ("is an alignment, not a structure", "give a PDB or mmCIF file"),
    "map": ("is a density map, not a structure", "give a PDB or mmCIF file; `io.read_map` reads maps"),
    "xtc": ("is a trajectory, which names no atoms", "give a PDB or mmCIF file; `io.read_trajectory` reads this"),
    "dcd": ("is a trajectory, which names no atoms", "give a PDB or mmCIF file; `io.read_trajectory` reads this"),
    "safetensors": ("holds network weights, not a structure", "give a PDB or mmCIF file"),
    "unknown": ("is neither PDB nor mmCIF", "give a PDB or mmCIF file"),
}
_NAMED = {".pdb": "pdb", ".ent": "pdb", ".cif": "mmcif", ".mmcif": "mmcif"}


def read(path: PathLike) -> Structure:
    """A structure from a PDB or mmCIF file, packed or not; `-` reads standard input.

    The content decides on the format, not the name. Of alternate locations the most occupied is kept, ties go
    to A. Models of the file are the batch dimension. What was mended, left out or looks odd is in `notes`.

    Raises:
        FormatError: The file cannot be read, or holds no protein that motet can work on.
    """
    source = load(path)
    kind = kind_of_data(source.data)
    if kind not in ("pdb", "mmcif"):
        raise FormatError(source.label, *_OTHER[kind])
    source = _noting_its_name(source, path, kind)
    try:
        return assemble((pdb if kind == "pdb" else mmcif).parse(source))
    except MotetError:
        raise
    except RecursionError:
        raise FormatError(source.label, "is nested too deeply", "give a PDB or mmCIF file") from None


def _noting_its_name(source: Source, path: PathLike, kind: Kind) -> Source:
    """Say so where name and content disagree."""
    name = Path(str(path).lower().removesuffix(".gz"))
    claimed = _NAMED.get(name.suffix)
    if claimed is None or claimed == kind:
        return source
    words = {"pdb": "PDB", "mmcif": "mmCIF"}
    text = f"the name ends in {shown(name.suffix, 12)} but the content is {words[kind]}: read as {words[kind]}."
    return Source(source.label, source.stem, source.data, (*source.notes, Note("repaired", text)))
