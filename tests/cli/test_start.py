"""Asking for help is instant: nothing heavy is imported before a command begins its work."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "scipy", "matplotlib", "gemmi", "biotraj", "jaxtyping")
ASK = """
import sys
from motet.cli import main
sys.argv = ["motet", *{arguments}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
loaded = [name for name in {heavy} if name in sys.modules]
assert not loaded, loaded
"""


@pytest.mark.parametrize(
    "verb", ["", "fold", "ensemble", "energy", "minimise", "info", "report", "weights", "weights add"]
)
def test_help_loads_nothing_heavy(verb):
    code = ASK.format(arguments=[*verb.split(), "--help"], heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Usage: motet {verb}".strip() in done.stdout


def test_a_mistake_in_the_name_is_one_line_and_exit_code_2(tmp_path):
    command = [sys.executable, "-c", "from motet.cli import main; main()", "info", str(tmp_path / "no-such.pdb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no-such.pdb: no such file; check the name" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
