"""Read what a network folds: an alignment, or one sequence."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, FormatError
from .batch import STDIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..io import Alignment


def read_target(path: Path) -> "Alignment":
    """An A3M alignment, its query first, or the one sequence of a FASTA file.

    Raises:
        FormatError: It is neither, or holds several sequences that are not aligned.
        ConfigError: The query has gaps or letters for which no atoms can be placed.
    """
    from ..fold.structures import check_query
    from ..io import Alignment, read_a3m, read_fasta, sniff

    if path.is_dir():
        raise FormatError(path, "is a directory", "give one alignment (A3M) or one sequence (FASTA)")
    source = "-" if path == STDIN else path
    kind = "a3m" if path == STDIN else sniff(path)
    if kind not in ("a3m", "fasta"):
        raise FormatError(path, f"is {kind}, neither alignment nor sequence", "give an A3M or a FASTA file")
    if kind == "fasta" and len(found := read_fasta(source)) == 1:
        alignment = Alignment(
            (found[0].id,), (found[0].description,), (found[0].residues,), _none(len(found[0])), found[0].notes
        )
    else:
        alignment = read_a3m(source)
    if "-" in alignment.query:
        raise ConfigError(
            f"the query of {path} has {alignment.query.count('-')} gaps; remove the columns in which it has "
            "no residue."
        )
    check_query(alignment.query)
    return alignment


def holds_sequence(path: Path) -> bool:
    """Whether a file holds sequences; stdin is taken for a structure."""
    from ..io import sniff

    return path != STDIN and sniff(path) in ("a3m", "fasta")


def _none(residues: int) -> "NDArray":
    import numpy as np

    return np.zeros((1, residues), np.int64)


def rows_to_read(text: str) -> tuple[int, int]:
    """Cluster centres and further rows, from `512:1024`.

    Raises:
        ConfigError: That is not what the text says.
    """
    clusters, _, extra = text.partition(":")
    if not (clusters.isdigit() and extra.isdigit() and int(clusters) >= 1):
        raise ConfigError(f"--max-msa {text}: write cluster centres and further rows, 512:1024 for example.")
    return int(clusters), int(extra)
