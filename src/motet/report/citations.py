"""What to cite for a run: `cite.bib`."""

from importlib.resources import files
from pathlib import Path

from ..io import atomic_write


def write_citations(directory: Path) -> None:
    """Write the references behind the generator, the force field and the pictures."""
    with atomic_write(directory / "cite.bib", overwrite=True) as temporary:
        temporary.write_text(bibliography())


def bibliography() -> str:
    """The references, as BibTeX."""
    return files("motet.report").joinpath("cite.bib").read_text(encoding="utf-8")
