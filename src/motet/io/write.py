"""The back door: a `Structure` out to a file, its format by the name asked for."""

from pathlib import Path

from ..errors import FormatError
from ..structure import Structure
from .mmcif_writer import mmcif_text
from .notebook import shown
from .opening import PathLike
from .pdb_writer import pdb_text
from .writing import write_text


def suffix_for(structure: Structure) -> str:
    """`.pdb` where PDB's one-letter chain names suffice, which other tools expect beside an XTC; else `.cif`."""
    return ".pdb" if all(len(chain) <= 1 for chain in structure.topology.chain_ids) else ".cif"


def write(structure: Structure, path: PathLike, overwrite: bool = False) -> None:
    """Writes PDB (`.pdb`, `.ent`) or mmCIF (`.cif`, `.mmcif`), packed for `.gz`; conformations become models.

    What is written reads back with an equal topology and with coordinates to 0.001 Å.

    Raises:
        FormatError: The name has another suffix, or the format cannot hold the structure.
        OutputExistsError: The file is already there and `overwrite` is false.
    """
    suffix = Path(str(path).lower().removesuffix(".gz")).suffix
    if suffix in (".pdb", ".ent"):
        text = pdb_text(structure, shown(path))
    elif suffix in (".cif", ".mmcif"):
        text = mmcif_text(structure, shown(path))
    else:
        raise FormatError(shown(path), "no structure format has this suffix", "use .pdb or .cif, with .gz to pack")
    write_text(path, text, overwrite)
