"""Mutants in and answers out: one text, a CSV, Parquet."""

import csv
from collections.abc import Sequence
from pathlib import Path

from ...errors import FormatError
from ...io import atomic_write, write_table
from ..storage import parquet_modules
from .prediction import StabilityChange

COLUMNS = ("mutation", "mutations", "mutant")


def parse_mutants(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Mutants from texts: `A:L14A`, or several at once, `A:L14A,A:K7E` (`;` and `+` part them, too)."""
    found = []
    for text in texts:
        parts = text.replace(";", ",").replace("+", ",").split(",")
        found.append(tuple(part.strip() for part in parts if part.strip()))
    return [mutant for mutant in found if mutant]


def read_mutants(path: Path) -> list[tuple[str, ...]]:
    """Mutants from a CSV: its column `mutation` (or `mutations`), or its first where there is no header.

    A column `chain`, if there is one, goes before mutations that name none.

    Raises:
        FormatError: The file cannot be read, or names no mutation.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read as text ({error})", "give a CSV of mutations") from error
    rows = [row for row in csv.reader(line for line in lines if not line.startswith("#")) if row]
    if not rows:
        raise FormatError(path, "names no mutation", "write one a line, such as A:L14A")
    header = [cell.strip().lower() for cell in rows[0]]
    column = next((header.index(name) for name in COLUMNS if name in header), -1)
    chain = header.index("chain") if column >= 0 and "chain" in header else -1
    body, column = (rows[1:], column) if column >= 0 else (rows, 0)
    texts = []
    for row in body:
        text = row[column] if column < len(row) else ""
        named = row[chain].strip() if 0 <= chain < len(row) else ""
        parts = [part for mutant in parse_mutants([text]) for part in mutant]
        texts.append(",".join(part if ":" in part or not named else f"{named}:{part}" for part in parts))
    found = parse_mutants(texts)
    if not found:
        raise FormatError(path, "names no mutation", "write one a line, such as A:L14A")
    return found


def write_changes(changes: Sequence[StabilityChange], path: Path) -> None:
    """Write mutations, ΔΔG and its parts, in kcal/mol, as CSV; replaces what is there."""
    header, rows = _table(changes)
    rounded = ([row[0], *(f"{value:.4f}" for value in row[1:])] for row in rows)
    write_table(path, header, rounded, overwrite=True)


def write_changes_parquet(changes: Sequence[StabilityChange], path: Path) -> None:
    """Write the same table as Parquet.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow, parquet = parquet_modules()
    header, rows = _table(changes)
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    with atomic_write(path, overwrite=True) as temporary:
        parquet.write_table(pyarrow.table(columns), temporary)


def _table(changes: Sequence[StabilityChange]) -> tuple[list[str], list[list[str | float]]]:
    names = list(changes[0].parts) if changes else []
    rows: list[list[str | float]] = [
        [",".join(one.mutations), one.ddg, *(one.parts[name] for name in names)] for one in changes
    ]
    return ["mutation", "ddg_kcal_mol", *(f"{name}_kcal_mol" for name in names)], rows
