"""The rules of the house that no linter knows: floors, lengths, sources, and what may be imported where."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "motet"
MODULES = sorted(SOURCE.rglob("*.py"))
PYTHON = sorted(path for top in ("src", "tests", "benchmarks", "scripts") for path in (ROOT / top).rglob("*.py"))
FLOORS_BELOW_THE_DOOR = ("chem", "structure", "io", "geometry", "forcefield", "cluster", "nn", "fold", "ensemble")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Every absolute module that the file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path: Path) -> Iterator[str]:
    """Every function that the file calls, as it is written there: `torch.load`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_each_floor_stands_only_on_the_floors_below():
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_longer_than_a_person_reads():
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PYTHON}
    assert not {path: length for path, length in lengths.items() if length > 400}


def test_gemmi_and_biotraj_stay_in_io():
    outside = (path for path in MODULES if path.relative_to(SOURCE).parts[0] != "io")
    found = {
        name(path)
        for path in outside
        for module in imports(path)
        if module.partition(".")[0] in ("gemmi", "biotraj")
    }
    assert not found


def test_nothing_is_ever_unpickled():
    forbidden = {"pickle", "dill", "joblib", "shelve", "marshal"}
    assert not {name(path) for path in MODULES if forbidden & set(imports(path))}
    assert not {name(path) for path in MODULES if {"torch.load"} & set(calls(path))}


def test_no_module_touches_global_state():
    """A seed, a default type or a thread count that one call sets would change what another call returns."""
    setters = ("torch.manual_seed", "torch.seed", "torch.set_default", "torch.use_deterministic", "random.")
    draws = {"seed", "rand", "randn", "normal", "uniform", "choice", "shuffle", "permutation"}
    found = {
        (name(path), call)
        for path in MODULES
        for call in calls(path)
        if call.startswith(setters) or (call.startswith("np.random.") and call.split(".")[-1] in draws)
    }
    assert not found


@pytest.mark.parametrize("floor", FLOORS_BELOW_THE_DOOR)
def test_a_floor_below_the_command_line_prints_nothing(floor):
    assert not {name(path) for path in (SOURCE / floor).rglob("*.py") if "print" in set(calls(path))}


def test_what_ships_leaves_nothing_to_do():
    found = {
        (name(path), mark)
        for path in MODULES
        for mark in ("TODO", "FIXME", "XXX")
        if mark in path.read_text(encoding="utf-8")
    }
    assert not found


def test_no_drawer_for_odds_and_ends():
    assert not [name(path) for path in PYTHON if path.stem in ("utils", "util", "helpers", "misc", "common")]
