"""The tables themselves, as CSV, and the one function that reads them."""

import csv
from importlib.resources import files
from importlib.resources.abc import Traversable


def read_table(name: str, package: str | Traversable = __name__) -> list[dict[str, str]]:
    """Rows of a CSV that ships inside `package`; lines that start with # are comments."""
    folder = files(package) if isinstance(package, str) else package
    with (folder / name).open(encoding="utf-8") as source:
        return list(csv.DictReader(line for line in source if not line.startswith("#")))
