"""Every shipped table says where its numbers come from and in which unit they are."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLES = sorted((ROOT / "src" / "motet").rglob("tables/*.csv"))
UNITS = tuple(
    "_angstrom _angstrom2 _angstrom3 _da _degrees _radians _kcal_mol _kcal_mol_k _e _k _percent _fraction".split()
)
DECIMAL = re.compile(r"^-?\d*\.\d+(e[+-]?\d+)?$")

pytestmark = pytest.mark.parametrize("table", TABLES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")


def comments(table: Path) -> str:
    lines = table.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("#"))


def rows(table: Path) -> list[dict[str, str]]:
    lines = table.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_the_source_of_every_number_is_named(table):
    """In the first line, or, where rows have several sources, in a column of that name."""
    by_row = all(len((row.get("source") or "").strip()) > 5 for row in rows(table))
    assert by_row or re.match(r"^# Source: \S.{10,}", comments(table))


def test_every_decimal_column_has_a_unit(table):
    """In its name (`length_angstrom`), in a column `unit`, or in a comment: `x, y, z [Å]`, `[1]` for none."""
    if "unit" in rows(table)[0]:
        assert all(row["unit"].strip() for row in rows(table))
        return
    described = " ".join(re.findall(r"[\w ,`]+\[[^\]]+\]", comments(table)))
    decimal = {column for row in rows(table) for column, value in row.items() if DECIMAL.match(value or "")}
    bare = {column for column in decimal if not column.endswith(UNITS)}
    assert not {column for column in bare if not re.search(rf"\b{re.escape(column)}\b", described)}


def test_every_row_is_as_long_as_the_header(table):
    assert rows(table)
    for row in rows(table):
        assert None not in row, f"too many values: {row}"
        assert None not in row.values(), f"too few values: {row}"


def test_no_row_stands_twice(table):
    found = [tuple(row.values()) for row in rows(table)]
    assert len(found) == len(set(found))
